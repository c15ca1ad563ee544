package tick

import "time"

// outcome is how a drive of a shard ended.
type outcome int

const (
	done  outcome = iota // everything due was run
	held                 // somebody else drives the shard
	taken                // the shard was taken over while a Step ran
	ended                // the scheduler is closed
)

// drive is one goroutine's turn at driving a shard.
type drive struct {
	sh     *shard
	gen    uint64        // of the shard when the turn began
	at     time.Duration // the time, as of the last look at the clock
	worker bool          // the worker, or Manual: runs the queue too
	// claimed: somebody else has promised to run the ticks; this turn is for the queue alone.
	claimed bool
	apart   bool // it drives one task, on a goroutine of that task's own
	quota   int  // how much of the queue it runs: what was there at first
	turn    bool // the queue's turn; ticks and queue alternate
}

// drive runs what is due at now. Work that appears meanwhile is left for the
// next turn, so that a poller gets back to its connections.
func (sh *shard) drive(now time.Duration, worker bool) outcome {
	sh.mu.Lock() // not deferred: a Step that ends its goroutine ends it unlocked
	o := sh.driveLocked(now, worker)
	sh.mu.Unlock()
	return o
}

func (sh *shard) driveLocked(now time.Duration, worker bool) outcome {
	switch {
	case sh.closed:
		return ended
	case sh.busy:
		if worker {
			sh.sleepUntil = Far // that driver wakes us when it leaves
		}
		return held
	}
	sh.busy, sh.byWorker = true, worker
	if worker {
		sh.sleepUntil = 0
	}
	claimed := worker && now < sh.claim && !sh.s.cfg.Manual
	if !claimed {
		sh.next.Store(int64(Far))
		sh.wheel.advance(slotAt(now), &sh.ready)
	}
	d := drive{sh: sh, gen: sh.gen, at: now, worker: worker, claimed: claimed, quota: sh.queue.len}
	for t := d.take(); t != nil; t = d.take() {
		if t.offload && !sh.s.cfg.Manual {
			sh.detach(t, d.at)
			continue
		}
		if !d.run(t) {
			return taken
		}
	}
	sh.busy = false
	if worker {
		sh.sleepUntil = sh.nextForWorker(sh.nextTick())
	}
	sh.publish()
	if sh.closed {
		return ended
	}
	return done
}

// take is the next task to run, or nil. With mu held.
func (d *drive) take() *Task {
	sh := d.sh
	if sh.closed {
		return nil
	}
	if !d.worker {
		for {
			t := sh.ready.pop()
			if t == nil || !t.offload {
				return t
			}
			sh.queue.push(t)
		}
	}
	d.turn = !d.turn
	if d.turn || d.claimed || sh.ready.len == 0 {
		if d.quota > 0 {
			d.quota--
			if t := sh.queue.pop(); t != nil {
				return t
			}
			d.quota = 0 // some of it was stopped
		}
	}
	if d.claimed {
		return nil
	}
	return sh.ready.pop()
}

// run runs what the task has to do now. It reports whether the shard is still
// ours. mu is held before and after, and released during each Step.
func (d *drive) run(t *Task) bool {
	var ours bool
	if t.rate == 0 {
		ours = d.step(t, t.wakeTick(d.at))
	} else {
		ours = d.runTicks(t)
	}
	if d.apart {
		d.sh.inline.remove(t)
		if t.running { // nothing was due after all: another driver's clock was ahead of this one's
			d.sh.ended(t)
		}
	}
	d.sh.settle(t)
	return ours
}

// detach runs a task that is known to block on a goroutine of its own: however
// long it takes, it holds up nobody else. With mu held.
func (sh *shard) detach(t *Task, at time.Duration) {
	sh.began(t, at)
	sh.inline.push(t)
	sh.s.wg.Go(func() {
		sh.mu.Lock()
		if t.stopped || sh.closed {
			sh.inline.remove(t)
			sh.ended(t)
		} else {
			d := drive{sh: sh, at: at, apart: true}
			d.run(t)
			sh.publish()
		}
		sh.mu.Unlock()
	})
}

// runTicks applies the policy and runs the ticks that it asks for.
func (d *drive) runTicks(t *Task) bool {
	p := planAt(t.policy, &t.grid, t.last, d.at)
	if p.before > 0 {
		t.skipped += p.before
		t.m.addSkipped(p.before)
	}
	for i := range p.steps {
		n := p.first + uint64(i)
		due := t.grid.deadline(n)
		tk := Tick{N: n, Dt: t.grid.dt(), Skipped: t.skipped, Now: due, Late: d.at - due}
		t.last, t.skipped = n, 0
		t.grid.start += p.shift
		if ours := d.step(t, tk); !ours {
			return false // what is left of the plan is made anew by the next driver
		}
		if t.stopped || d.sh.closed {
			return true
		}
	}
	if p.after > 0 {
		t.last += uint64(p.after)
		t.skipped += p.after
		t.m.addSkipped(p.after)
	}
	return true
}

// step runs one Step with mu released and reports whether the shard is still
// ours.
func (d *drive) step(t *Task, tk Tick) bool {
	sh := d.sh
	if !t.running { // detach has said so already
		sh.began(t, d.at)
	}
	if !d.apart {
		sh.cur = t
	}
	sh.mu.Unlock()
	t.call(tk)
	end := sh.s.clock()
	t.m.record(tk, end-d.at)
	sh.mu.Lock()
	took := end - d.at
	d.at = max(d.at, end)
	sh.ended(t)
	switch {
	case d.apart:
		t.settleDown(took)
		return true
	case sh.gen != d.gen:
		return false
	}
	sh.cur = nil
	return true
}

// takeOver takes the shard from a driver that is stuck in a Step (or gone), and
// finds another one. The old one notices when its Step returns. With mu held.
func (sh *shard) takeOver() {
	sh.gen++
	sh.busy, sh.cur, sh.claim = false, nil, 0 // whoever made the claim is stuck as well
	if sh.byWorker && !sh.s.cfg.Manual && !sh.closed {
		sh.sleepUntil = 0
		sh.s.wg.Go(sh.work)
	}
	sh.publish()
}

// goexit cleans up after a Step that ended its goroutine.
func (sh *shard) goexit(t *Task) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	t.stop()
	if t.in == &sh.inline {
		sh.inline.remove(t)
	}
	sh.ended(t)
	if sh.cur == t {
		sh.takeOver()
	}
}
