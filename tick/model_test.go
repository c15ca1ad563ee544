package tick

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func contains(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// modelTask is the naive idea of a fixed-rate task: it walks its deadlines one
// by one.
type modelTask struct {
	task    *Task
	policy  Policy
	start   time.Duration
	base    uint64
	rate    int64
	last    uint64
	skipped int
	got     []Tick
	stopped bool
}

func (m *modelTask) deadline(n uint64) time.Duration {
	n += m.base
	return m.start + time.Duration(n*uint64(time.Second)/uint64(m.rate))
}

// expect is what the task should run at now, given that it is looked at once a
// millisecond.
func (m *modelTask) expect(now time.Duration) (ticks []Tick) {
	boundary := now / slot * slot
	if m.stopped || m.deadline(m.last+1) > boundary {
		return nil
	}
	run := func() {
		m.last++
		due := m.deadline(m.last)
		ticks = append(ticks, Tick{N: m.last, Dt: time.Second / time.Duration(m.rate), Skipped: m.skipped, Now: due, Late: now - due})
		m.skipped = 0
	}
	missed := func() bool { return m.deadline(m.last+1) <= now }
	skipWhile := func(ok func() bool) {
		for ok() {
			m.last++
			m.skipped++
		}
	}
	switch {
	case m.policy == Skip:
		skipWhile(func() bool { return m.deadline(m.last+2) <= now })
		run()
	case m.policy == SlowDown:
		run()
		if missed() {
			m.start += ticks[0].Late
		}
	default:
		run()
		for range int(m.policy) {
			if missed() {
				run()
			}
		}
		skipWhile(missed)
	}
	return ticks
}

// Random tasks come and go while time advances in steps and jumps: each ticks
// exactly as the model says, no matter how many shards there are.
func TestAgainstTheModel(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s := New(Config{Manual: true, Workers: 1 + rng.IntN(4)})
		var all []*modelTask
		now := time.Duration(0)
		for range 1500 {
			switch k := rng.IntN(10); {
			case k == 0 && len(all) < 200:
				m := &modelTask{policy: []Policy{Skip, CatchUp(1), CatchUp(5), SlowDown}[rng.IntN(4)]}
				m.rate = []int64{1, 20, 30, 60, 240, 1 + rng.Int64N(240)}[rng.IntN(6)]
				m.task = s.Add(fn(func(tk Tick) { m.got = append(m.got, tk) }), int(m.rate), m.policy, nil)
				m.start, m.base = m.task.grid.start, m.task.grid.base
				all = append(all, m)
			case k == 1 && len(all) > 0:
				m := all[rng.IntN(len(all))]
				m.stopped = true
				m.task.Stop()
			}
			switch rng.IntN(20) {
			case 0:
				now += time.Duration(rng.Int64N(int64(5 * time.Second)))
			case 1, 2, 3:
				now += time.Duration(rng.Int64N(int64(100 * time.Millisecond)))
			default:
				now += time.Duration(rng.Int64N(int64(3 * time.Millisecond)))
			}
			next := s.RunDue(now)
			if next <= now {
				t.Fatalf("seed %d: at %v next is %v", seed, now, next)
			}
			for i, m := range all {
				want := m.expect(now)
				if len(want) != len(m.got) {
					t.Fatalf("seed %d, task %d (%d Hz, %v) at %v: %d ticks %+v, want %+v", seed, i, m.rate, m.policy, now, len(m.got), m.got, want)
				}
				for k := range want {
					if m.got[k] != want[k] {
						t.Fatalf("seed %d, task %d (%d Hz, %v) at %v: %+v, want %+v", seed, i, m.rate, m.policy, now, m.got[k], want[k])
					}
				}
				m.got = m.got[:0]
				if due := slot * time.Duration(slotAfter(m.deadline(m.last+1))); !m.stopped && next > due {
					t.Fatalf("seed %d, task %d is due at %v, but next is %v", seed, i, due, next)
				}
			}
		}
		s.Close()
	}
}
