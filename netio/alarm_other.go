//go:build !linux

package netio

import "time"

// Alarm lets one goroutine sleep until a time or until it is woken. Where there is no timerfd it is one of Go's timers.
type Alarm struct {
	timer *time.Timer
	rung  chan struct{}
}

// NewAlarm returns an Alarm.
func NewAlarm() (*Alarm, error) {
	return &Alarm{timer: time.NewTimer(time.Hour), rung: make(chan struct{}, 1)}, nil
}

// Sleep returns after d or on a Ring, whichever comes first, and at once after a Ring that came since the last Sleep. Only one
// goroutine may sleep.
func (a *Alarm) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	a.timer.Reset(d)
	select {
	case <-a.timer.C:
	case <-a.rung:
	}
}

// Ring wakes the sleeper. Any goroutine.
func (a *Alarm) Ring() {
	select {
	case a.rung <- struct{}{}:
	default:
	}
}

// Close wakes the sleeper. Nobody may use the Alarm afterwards but who sleeps.
func (a *Alarm) Close() {
	a.timer.Stop()
	a.Ring()
}
