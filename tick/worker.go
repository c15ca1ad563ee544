package tick

import "time"

// work is the shard's worker: it drives the shard, sleeps until the next
// deadline or a poke, and ends on Close or when the shard was taken from it.
func (sh *shard) work() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		switch sh.drive(sh.s.clock(), true) {
		case taken, ended:
			return
		}
		sh.mu.Lock()
		until := sh.sleepUntil
		sh.mu.Unlock()
		if until == Far {
			timer.Stop()
			<-sh.poke
			continue
		}
		pause := until - sh.s.clock()
		if pause <= 0 {
			continue
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-sh.poke:
		}
	}
}
