package tick

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Few tasks have few phases; more come when each has its crowd, and none is wanted when they have gone.
func TestPhasesOpenAsTheyFill(t *testing.T) {
	p := newPhasing(20, 5*time.Millisecond)
	if p.step != 625*time.Microsecond || len(p.live) != 80 {
		t.Fatalf("%d phases of %v", len(p.live), p.step)
	}
	inUse := func() (phases int, most int32) {
		for _, n := range p.live {
			if n > 0 {
				phases++
			}
		}
		return phases, slices.Max(p.live)
	}
	var places []int
	for n := 1; n <= 100*crowd; n++ {
		places = append(places, p.enter())
		phases, most := inUse()
		open := 10
		for open < 80 && n > open*crowd {
			open *= 2
		}
		if phases > open || n > 10 && phases < min(n, open/2) || most > int32(max(crowd, (n+79)/80)) {
			t.Fatalf("%d tasks are in %d phases, of which %d are open, up to %d in one", n, phases, open, most)
		}
	}
	rand.Shuffle(len(places), func(i, k int) { places[i], places[k] = places[k], places[i] })
	for _, place := range places {
		p.leave(place)
	}
	if phases, _ := inUse(); phases != 0 {
		t.Fatalf("%d phases are in use by nobody", phases)
	}
	for range 10 * crowd {
		if place := p.enter(); p.at(place)%(5*time.Millisecond) != 0 {
			t.Fatalf("a task is due at %v although the wide phases have room", p.at(place))
		}
	}
}

// However tasks come and go, a scheduler's books are right.
func TestPhasesOfTasksThatComeAndGo(t *testing.T) {
	s := New(Config{Manual: true, Workers: 1})
	t.Cleanup(s.Close)
	var tasks []*Task
	for range 2000 {
		if len(tasks) > 0 && rand.IntN(3) == 0 {
			i := rand.IntN(len(tasks))
			tasks[i].Stop()
			tasks[i].Stop() // no more than once
			tasks = slices.Delete(tasks, i, i+1)
			continue
		}
		tasks = append(tasks, s.Add(nop{}, 1+rand.IntN(3)*29, Skip, nil))
	}
	want := map[int]int32{}
	for _, task := range tasks {
		want[task.rate]++
	}
	for rate, p := range s.shards[0].phasings {
		var n int32
		for _, live := range p.live {
			n += live
		}
		if n != want[rate] {
			t.Errorf("at rate %d there are %d tasks in the books and %d alive", rate, n, want[rate])
		}
	}
}
