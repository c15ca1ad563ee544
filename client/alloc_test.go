//go:build !race

package client

import (
	"io"
	"net"
	"testing"
)

// TestAllocations: neither emitting nor receiving allocates, for types without pointers. Not under the race detector, where
// sync.Pool forgets on purpose.
func TestAllocations(t *testing.T) {
	for _, ws := range []bool{true, false} {
		url := map[bool]string{true: "ws://memory/", false: "tcp://memory:1"}[ws]
		conns := make(chan *peer, 1)
		c := dialT(t, url, pipe(t, ws, func(p *peer) {
			p.hello(welcome())
			p.admit()
			conns <- p
			_, _ = io.Copy(io.Discard, onlyReader{p.conn}) // until the client hangs up
		}))
		handled := make(chan struct{}, 1)
		var sum float32
		r, err := c.JoinOrCreate(testContext(t), "pong", nil, func(r *Room) {
			On(r, state, func(s Scene, m Meta) { sum += s.Ball[0] })
			r.OnVolley(func(Meta) { handled <- struct{}{} })
		})
		check(t, err)
		p := <-conns

		tick := uint64(100)
		acked := func() []byte { return volleyTo(0, tick, r.Seq(), eventPacket(iState, Scene{Ball: [2]float32{3, 4}})) }
		frame := p.framed(acked())
		receive := func() {
			p.raw(frame)
			<-handled
		}
		emit := func() { check(t, Emit(r, move, Move{DY: 0.5})) }
		batch := func() {
			check(t, r.Batch(func() {
				for range 4 {
					emit()
				}
			}))
		}
		offline := func() { // what is emitted waits
			set := func(l linkage) {
				r.mu.Lock()
				r.link = l
				r.mu.Unlock()
			}
			set(cold)
			emit()
			set(live)
			check(t, r.flush(false))
		}
		for name, run := range map[string]func(){"receive": receive, "emit": emit, "batch": batch, "offline": offline} {
			for range 100 {
				run()
			}
			// The outbox is emptied as a server's acknowledgement would, so that the growth of an outbox without one is not counted.
			n := testing.AllocsPerRun(500, func() {
				run()
				r.mu.Lock()
				r.outbox.trim(r.outbox.lastSent())
				r.mu.Unlock()
			})
			if n != 0 {
				t.Errorf("ws %v: %s allocates %v times", ws, name, n)
			}
		}
	}
}

type onlyReader struct{ net.Conn }
