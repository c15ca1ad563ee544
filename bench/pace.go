//go:build linux

package main

import (
	"encoding/binary"
	"math/rand/v2"
)

// pacer says whose turn it is to send: every connection once in a period, at a phase of its own. Phases are spread evenly over
// the period and over rooms, as clients that do not know of each other are. The pace does not wait for answers, so a server
// that falls behind cannot hide it.
type pacer struct {
	period int64 // ns; 0: nobody sends
	began  int64
	order  []int32 // connections by phase
	at     int     // whose turn is next
	cycle  int64
	shift  int64 // the phase of this process among the load processes, in parts of one place
	parts  int64
}

func newPacer(n int, spec loadSpec) pacer {
	p := pacer{period: spec.PeriodNs, order: make([]int32, n), shift: int64(spec.Phase), parts: int64(max(spec.Phases, 1))}
	if n == 0 {
		p.period = 0
	}
	for i, j := range rand.New(rand.NewPCG(uint64(spec.Phase), 7)).Perm(n) { // the same in every run
		p.order[i] = int32(j)
	}
	return p
}

func (p *pacer) begin(now int64) { p.began, p.at, p.cycle = now, 0, 0 }

// next is when the next turn is due.
func (p *pacer) next() int64 {
	n := int64(len(p.order)) * p.parts
	return p.began + p.cycle*p.period + int64(float64(p.period)*(float64(int64(p.at)*p.parts+p.shift)/float64(n)))
}

// take returns the next turn if it is due, and when it was.
func (p *pacer) take(now int64) (conn int32, due int64, ok bool) {
	if due = p.next(); due > now {
		return 0, 0, false
	}
	conn = p.order[p.at]
	if p.at++; p.at == len(p.order) {
		p.at = 0
		p.cycle++
	}
	return conn, due, true
}

// batch bounds what is sent between two looks at the sockets.
const batch = 256

// keepPace sends what is due.
func (l *load) keepPace() {
	if !l.playing || l.pacer.period == 0 {
		return
	}
	for range batch {
		now := monotonic()
		i, due, ok := l.pacer.take(now)
		if !ok {
			return
		}
		c := &l.conns[i]
		if l.spec.Style == styleListen {
			if b := l.acknowledge(c); b != nil {
				l.write(c, b)
			}
			continue
		}
		l.due++
		l.late.record(now - due)
		l.sendInput(c, now)
	}
}

func (l *load) acknowledge(c *conn) []byte {
	if c.phase != playing || len(c.out) > 0 {
		return nil
	}
	return l.dialect.acknowledge(l, c)
}

// speakers are how many listeners of a process say which broadcast they have.
const speakers = 4

func (l *load) speaks(c *conn) bool {
	return l.spec.Style == styleListen && int(c.index)%max(1, len(l.conns)/speakers) == 0
}

// speakUp has the speakers say that they have nothing yet.
func (l *load) speakUp() {
	for i := range l.conns {
		if c := &l.conns[i]; l.speaks(c) && c.phase == playing {
			l.write(c, l.dialect.input(l, c, l.now, 0))
		}
	}
}

// react does what a message calls for, with the payload of the last one of its frame.
func (l *load) react(c *conn, payload []byte) {
	switch {
	case !l.playing:
	case l.spec.Style == styleTurns:
		l.sendInput(c, monotonic())
	case l.speaks(c) && len(c.out) == 0:
		l.write(c, l.dialect.input(l, c, l.now, binary.LittleEndian.Uint64(payload[stampSize:])))
	}
}
