package volley

import (
	"time"

	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/tick"
)

// Pollers drive the ticks where there is traffic, and the scheduler's workers where there is none. See Config.Gather.

// claimed is how long after its next tick a poller that works in rounds may be before the workers take over.
const claimed = 5 * time.Millisecond

// round runs the ticks that are due at the end of a poller's round and returns how long the poller may rest.
func (s *Server) round(poller int, again bool) (rest time.Duration) {
	pollers := s.cfg.Pollers
	rest = s.cfg.Gather
	now := s.sched.Now()
	for i := poller; i < s.sched.Shards(); i += pollers {
		next := s.sched.RunShard(i, now)
		if !again {
			if s.claims[poller] {
				s.sched.Claim(i, 0)
			}
			continue
		}
		rest = min(rest, next-now)
		s.sched.Claim(i, now+rest+claimed)
	}
	s.claims[poller] = again
	return rest - (s.sched.Now() - now)
}

// newAlarm is what the scheduler's workers sleep on.
func newAlarm() tick.Alarm {
	a, err := netio.NewAlarm()
	if err != nil {
		return nil // Go's timers do
	}
	return a
}
