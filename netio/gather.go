package netio

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/lesismal/nbio"
)

// poller is what an engine keeps of one poller of nbio: how it gathers input. Its goroutine owns it.
//
// A poller that wakes up for each socket pays for the waking up more than for the reading. Where all that comes is input that can
// wait (Conn.CanWait), it works in rounds instead: it rests until the next ticks are due, reads every socket that has become
// readable meanwhile, and then runs the ticks. A bell tells it where a round ends: a socket of its own, written to after the
// rest. Since epoll reports sockets in the order in which they became readable, it comes last. There are two bells, rung in turn:
// epoll, if it is level-triggered, leaves a socket that it has reported on its list until the next look, so the same bell would
// come first.
type poller struct {
	e     *Engine
	index int
	bells [2]bell
	turn  int // which one is next
	alarm *Alarm

	gathering bool  // the bell has been rung and not been heard
	patient   bool  // this round has brought something that can wait
	calm      int64 // the engine's clock: no rounds before that, since something came that cannot wait
	yielded   int64 // the engine's clock: when it last passed through Go's scheduler
}

// bell is a pair of sockets.
type bell struct {
	near *nbio.Conn // nil: there is none
	far  int
}

// hectic is how long a poller does without rounds after something came that cannot wait.
const hectic = int64(20 * time.Millisecond)

// yieldEvery is half of what the runtime's monitor calls too long (forcePreemptNS in its proc.go).
const yieldEvery = int64(5 * time.Millisecond)

func newPollers(e *Engine) []poller {
	pollers := make([]poller, e.cfg.Pollers)
	for i := range pollers {
		pollers[i].e, pollers[i].index = e, i
	}
	return pollers
}

// startGathering gives each poller its bell.
func (e *Engine) startGathering() error {
	if e.cfg.OnRound == nil {
		return nil
	}
	for i := range e.pollers {
		var err error
		if e.pollers[i].alarm, err = NewAlarm(); err != nil {
			return err
		}
	}
	var spare []*nbio.Conn
	defer func() {
		for _, nb := range spare {
			_ = nb.Close()
		}
	}()
	left := 2 * e.cfg.Pollers
	for range 16 * left { // nbio picks the poller by the descriptor's number
		if left == 0 {
			return nil
		}
		nb, far, err := socketPair()
		if err != nil {
			return err
		}
		b := bell{nb, far}
		p := &e.pollers[nb.Hash()%e.cfg.Pollers]
		if p.turn == len(p.bells) {
			_ = syscall.Close(far) // one of the two, so that the next pair has numbers of the other parity
			spare = append(spare, nb)
			continue
		}
		setSession(nb, p)
		if _, err := e.nbio.AddConn(nb); err != nil {
			b.close()
			return err
		}
		p.bells[p.turn] = b
		p.turn++
		left--
	}
	return errors.New("netio: not every poller could be given its bells")
}

// close gives the sockets back. Of one that a poller has, the poller closes the near end.
func (b bell) close() {
	_ = b.near.Close()
	_ = syscall.Close(b.far)
}

// stopGathering gives back what startGathering took. The pollers have ended.
func (e *Engine) stopGathering() {
	for i := range e.pollers {
		p := &e.pollers[i]
		for _, b := range p.bells {
			if b.near != nil {
				b.close()
			}
		}
		if p.alarm != nil {
			p.alarm.Close()
		}
	}
}

// CanWait says, within Session.Message, that nothing needs to be done about this frame before the poller's next round: it is
// input for a tick.
func (c *Conn) CanWait() { c.canWait = true }

// after does what is due on poller p once an event has been handled; c is the connection that it was about.
func (p *poller) after(c *Conn) {
	e, now := p.e, p.e.now()
	switch {
	case p.alarm == nil: // no rounds
	case c.hurry:
		p.calm = now + hectic
	case c.canWait:
		p.patient = true
	}
	p.yield(now)
	if p.gathering {
		return // OnRound will be next
	}
	if p.patient && now >= p.calm {
		p.ring()
		return
	}
	if e.cfg.OnPoll != nil {
		e.guard(e.cfg.OnPoll)
	}
}

// yield passes through Go's scheduler now and then. A poller never parks: it works or is in a system call. To the runtime's
// monitor a goroutine that has not been scheduled for 10 ms is one that hogs its P, and the monitor takes the P away whenever it
// finds it in a system call, looks again 20 µs later, and so on: up to a seventh of the CPU that a server needs.
func (p *poller) yield(now int64) {
	if now-p.yielded > yieldEvery {
		p.yielded = now
		runtime.Gosched()
	}
}

// ring makes this round end behind all that is readable now.
func (p *poller) ring() {
	p.turn = 1 - p.turn%2
	_, err := syscall.Write(p.bells[p.turn].far, []byte{0})
	p.gathering = err == nil
}

// poll is the end of a round.
func (p *poller) poll(nb *nbio.Conn, buf []byte) {
	_, _ = nb.Read(buf)
	p.gathering = false
	now := p.e.now()
	p.yield(now)
	again := p.patient && now >= p.calm
	p.patient = false
	var rest time.Duration
	p.e.guard(func() { rest = p.e.cfg.OnRound(p.index, again) })
	if again {
		p.rest(rest)
		p.ring()
	}
}

// rest sleeps. In a system call the poller keeps its P, which the runtime's monitor lets it do for 10 ms as long as another P is
// idle, and so nobody has to be woken up for it; parked, it would have the monitor look after it every 20 µs as soon as it is
// back. But a P that is the only one must not be kept.
func (p *poller) rest(d time.Duration) {
	if d > 0 && d < 8*time.Millisecond && runtime.GOMAXPROCS(0) > 1 {
		sleepHere(d)
		return
	}
	p.alarm.Sleep(d)
}
