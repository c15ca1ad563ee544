package netio

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm lets one goroutine sleep until a time that is kept to some microseconds. Go's own timers are looked at by a poller that
// counts in milliseconds, so they come up to one late. This is a timerfd: for the runtime it is a file that becomes readable.
type Alarm struct {
	file *os.File
	fd   int
	rung atomic.Bool
	buf  [8]byte // the sleeper's
}

// NewAlarm returns an Alarm, or an error where the system has none to spare.
func NewAlarm() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &Alarm{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}, nil
}

// Sleep returns after d or on a Ring, whichever comes first, and at once after a Ring that came since the last Sleep. Only one
// goroutine may sleep. After Close it returns at once.
func (a *Alarm) Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	a.set(d)
	if a.rung.Swap(false) {
		return
	}
	_, _ = a.file.Read(a.buf[:])
	a.rung.Store(false)
}

// Ring wakes the sleeper. Any goroutine.
func (a *Alarm) Ring() {
	a.rung.Store(true)
	a.set(1)
}

// set makes the timer go off after d, and never else.
func (a *Alarm) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(a.fd, 0, &spec, nil)
}

// Close gives the file back and wakes the sleeper. Nobody may use the Alarm afterwards but who sleeps.
func (a *Alarm) Close() { _ = a.file.Close() }
