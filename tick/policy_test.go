package tick

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	const ms = time.Millisecond
	g := grid{start: 0, rate: 20} // deadlines at 50, 100, 150 ... ms
	tests := []struct {
		name   string
		policy Policy
		last   uint64
		now    time.Duration
		want   plan
	}{
		{"not due", Skip, 0, 49 * ms, plan{first: 1}},
		{"not due by a nanosecond", Skip, 2, 150*ms - 1, plan{first: 3}},
		{"not due, catch up", CatchUp(3), 2, 149 * ms, plan{first: 3}},
		{"not due, slow down", SlowDown, 2, 149 * ms, plan{first: 3}},
		{"on time", Skip, 2, 150 * ms, plan{first: 3, steps: 1}},
		{"on time, catch up", CatchUp(3), 2, 150 * ms, plan{first: 3, steps: 1}},
		{"on time, slow down", SlowDown, 2, 150 * ms, plan{first: 3, steps: 1}},
		{"a little late keeps the grid", SlowDown, 2, 199 * ms, plan{first: 3, steps: 1}},
		{"one missed, skip", Skip, 2, 200 * ms, plan{first: 4, steps: 1, before: 1}},
		{"one missed, catch up", CatchUp(3), 2, 200 * ms, plan{first: 3, steps: 2}},
		{"one missed, slow down", SlowDown, 2, 203 * ms, plan{first: 3, steps: 1, shift: 53 * ms}},
		{"as many as the cap", CatchUp(3), 2, 310 * ms, plan{first: 3, steps: 4}},
		{"beyond the cap", CatchUp(3), 2, 510 * ms, plan{first: 3, steps: 4, after: 4}},
		{"a day missed, skip", Skip, 2, 24 * time.Hour, plan{first: 1728000, steps: 1, before: 1727997}},
		{"a day missed, catch up", CatchUp(3), 2, 24 * time.Hour, plan{first: 3, steps: 4, after: 1727994}},
		{"a day missed, slow down", SlowDown, 2, 24 * time.Hour, plan{first: 3, steps: 1, shift: 24*time.Hour - 150*ms}},
		{"no catching up is skip", CatchUp(-1), 2, 200 * ms, plan{first: 4, steps: 1, before: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := planAt(tt.policy, &g, tt.last, tt.now); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// At every rate and policy: what is run or skipped is exactly what was due, and
// what comes next is later than now.
func TestPlanInvariants(t *testing.T) {
	for rate := 1; rate <= MaxRate; rate++ {
		for range 200 {
			g := grid{start: time.Duration(rand.Int64N(1e9)), rate: int64(rate)}
			last := rand.Uint64N(uint64(86400 * rate))
			now := g.deadline(last) + time.Duration(rand.Int64N(int64(10*g.dt())))
			p := []Policy{Skip, CatchUp(1), CatchUp(4), SlowDown}[rand.IntN(4)]
			pl := planAt(p, &g, last, now)

			if pl.first != last+1+uint64(pl.before) {
				t.Fatalf("%v at %d Hz: %+v after tick %d leaves a hole", p, rate, pl, last)
			}
			if pl.steps > 0 && now < g.deadline(pl.first+uint64(pl.steps)-1) {
				t.Fatalf("%v at %d Hz: %+v runs a tick early", p, rate, pl)
			}
			if pl.steps == 0 && now >= g.deadline(last+1) {
				t.Fatalf("%v at %d Hz: %+v leaves a due tick out", p, rate, pl)
			}
			if p == SlowDown && pl.before+pl.after > 0 || p != SlowDown && pl.shift != 0 {
				t.Fatalf("%v at %d Hz: %+v", p, rate, pl)
			}
			g.start += pl.shift
			if next := g.deadline(pl.first + uint64(pl.steps+pl.after)); next <= now {
				t.Fatalf("%v at %d Hz: %+v: the next deadline is %v ago", p, rate, pl, now-next)
			}
		}
	}
}

func TestPolicyIsAValue(t *testing.T) {
	var zero Policy
	for p, name := range map[Policy]string{zero: "skip", CatchUp(3): "catch up 3", SlowDown: "slow down"} {
		if p.String() != name {
			t.Errorf("%d is %q, not %q", p, p, name)
		}
	}
	if CatchUp(3) == CatchUp(2) || CatchUp(0) != Skip {
		t.Error("policies do not compare")
	}
}
