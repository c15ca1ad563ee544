package tick

// work is the shard's worker: it drives the shard, sleeps until the next
// deadline or a ring, and ends on Close or when the shard was taken from it.
func (sh *shard) work() {
	for {
		switch sh.drive(sh.s.clock(), true) {
		case taken, ended:
			return
		}
		sh.mu.Lock()
		until := sh.sleepUntil
		sh.mu.Unlock()
		pause := Far
		if until < Far {
			pause = until - sh.s.clock()
		}
		sh.alarm.Sleep(pause)
	}
}
