package tick

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The wheel against a plain set: what comes out at each advance is exactly what
// is due, and next never overlooks anything.
func TestWheelAgainstASet(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var w wheel
		set := map[*Task]int64{}
		now := int64(0)
		for range 2000 {
			switch rng.IntN(4) {
			case 0, 1:
				task := &Task{}
				at := time.Duration(now)*slot + time.Duration(rng.Int64N(3000))*slot - 20*slot + time.Duration(rng.IntN(3))
				w.insert(task, at)
				set[task] = max(slotAfter(at), now+1)
			case 2:
				for task := range set {
					w.remove(task)
					delete(set, task)
					break
				}
			case 3:
				now += rng.Int64N([]int64{3, 50, 5000}[rng.IntN(3)])
				var out list
				w.advance(now, &out)
				for task := out.pop(); task != nil; task = out.pop() {
					if due, ok := set[task]; !ok || due > now {
						t.Fatalf("seed %d: at %d a task came out that is due at %d (%v)", seed, now, due, ok)
					}
					delete(set, task)
				}
			}
			first, last := int64(noSlot), int64(0)
			for _, due := range set {
				first, last = min(first, due), max(last, due)
			}
			if first <= now {
				t.Fatalf("seed %d: a task due at %d is still in at %d", seed, first, now)
			}
			next := w.next()
			if next <= now || next > first {
				t.Fatalf("seed %d: next is %d at %d, the first task is due at %d", seed, next, now, first)
			}
			if len(set) > 0 && last-now <= slots && next != first {
				t.Fatalf("seed %d: next is %d, all are within the lap, so it should be %d", seed, next, first)
			}
		}
	}
}

func TestWheelKeepsTheOrderOfDeadlines(t *testing.T) {
	for _, jump := range []int64{1, 2, 900, 5000} {
		var w wheel
		var want []*Task
		for v := int64(1); v <= 900; v++ {
			task := &Task{}
			w.insert(task, time.Duration(v)*slot)
			want = append(want, task)
		}
		var out list
		for now := jump; now < 900+jump; now += jump {
			w.advance(now, &out)
		}
		for i, task := range want {
			if got := out.pop(); got != task {
				t.Fatalf("jumps of %d: task %d is out of order", jump, i)
			}
		}
	}
}
