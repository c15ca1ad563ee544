package tick

import "time"

// logEvery is the shortest time between two reports of one task.
const logEvery = time.Second

// report is what the watchdog has to say about one Step, outside the locks.
type report struct {
	t      *Task
	took   time.Duration
	inline bool // on a goroutine that called Wake
	lent   bool // on a goroutine that called RunDue
	apart  bool // on a goroutine of its own
}

// watch is the watchdog, one goroutine per scheduler. It looks twice in
// BlockAfter, so a stuck Step is found within one and a half times BlockAfter.
func (s *Scheduler) watch() {
	tk := time.NewTicker(max(s.cfg.BlockAfter/2, time.Millisecond))
	defer tk.Stop()
	var reports []report
	for {
		select {
		case <-s.stop:
			return
		case <-tk.C:
		}
		for _, sh := range s.shards {
			reports = sh.sweep(s.clock(), reports[:0])
			for _, r := range reports {
				s.warn(r)
			}
			clear(reports)
		}
	}
}

// sweep looks for Steps that have run too long, takes the shard over if its
// driver is in one, and appends what is to be logged.
func (sh *shard) sweep(now time.Duration, reports []report) []report {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for t := sh.inline.head; t != nil; t = t.next {
		if sh.stuck(t, now) {
			first := !t.offload
			t.offload = true
			if first || !t.logged || now-t.loggedAt >= logEvery {
				t.logged, t.loggedAt = true, now
				reports = append(reports, report{t: t, took: now - t.startedAt, inline: first, apart: !first})
			}
		}
	}
	if t := sh.cur; t != nil && sh.stuck(t, now) {
		lent := !sh.byWorker
		t.offload = true
		sh.takeOver()
		if !t.logged || now-t.loggedAt >= logEvery {
			t.logged, t.loggedAt = true, now
			reports = append(reports, report{t: t, took: now - t.startedAt, lent: lent})
		}
	}
	return reports
}

// stuck reports, once, a Step that has run for BlockAfter. It must have been
// seen at the look before as well: after a pause of the whole process every
// Step seems long. With mu held.
func (sh *shard) stuck(t *Task, now time.Duration) bool {
	seen := t.seen
	t.seen = true
	if !seen || t.reported || now-t.startedAt < sh.s.cfg.BlockAfter {
		return false
	}
	t.reported = true
	t.m.addBlocked()
	return true
}

func (s *Scheduler) warn(r report) {
	msg := "tick: a step blocks its worker; another one takes over, and from now on its task runs on goroutines of its own"
	switch {
	case r.inline:
		msg = "tick: a step blocks the goroutine that woke it; from now on its task runs on goroutines of its own"
	case r.apart:
		msg = "tick: a step blocks the goroutine of its own that its task has"
	case r.lent:
		msg = "tick: a step blocks a goroutine lent to the scheduler; from now on its task runs on goroutines of its own"
	}
	s.log.Warn(msg, "stepper", r.t.stepper.Name(), "running", r.took)
}
