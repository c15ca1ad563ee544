package tick

import "time"

// Alarm is what a worker sleeps on.
type Alarm interface {
	// Sleep returns after d (Far: never) or on a Ring, whichever comes first, and at once after a Ring that came since the last
	// Sleep. It may also return early. One goroutine at a time.
	Sleep(d time.Duration)
	// Ring wakes the sleeper. Any goroutine; it does not block.
	Ring()
	// Close is called once nobody sleeps or rings any more.
	Close()
}

// newAlarm is what a worker gets.
func (s *Scheduler) newAlarm() Alarm {
	if s.cfg.Manual {
		return noAlarm{}
	}
	if s.cfg.Alarm != nil {
		if a := s.cfg.Alarm(); a != nil {
			return a
		}
	}
	return newTimerAlarm()
}

// noAlarm is for a scheduler without workers.
type noAlarm struct{}

func (noAlarm) Sleep(time.Duration) {}
func (noAlarm) Ring()               {}
func (noAlarm) Close()              {}

// timerAlarm is an Alarm of Go's own.
type timerAlarm struct {
	timer *time.Timer
	rung  chan struct{}
}

func newTimerAlarm() Alarm {
	a := &timerAlarm{timer: time.NewTimer(time.Hour), rung: make(chan struct{}, 1)}
	a.timer.Stop()
	return a
}

func (a *timerAlarm) Sleep(d time.Duration) {
	switch {
	case d <= 0:
		return
	case d == Far:
		a.timer.Stop()
		<-a.rung
		return
	}
	a.timer.Reset(d)
	select {
	case <-a.timer.C:
	case <-a.rung:
	}
}

func (a *timerAlarm) Ring() {
	select {
	case a.rung <- struct{}{}:
	default:
	}
}

func (a *timerAlarm) Close() { a.timer.Stop() }
