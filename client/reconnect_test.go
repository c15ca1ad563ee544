package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestElsewhere: BYE's delay and address are honoured; what cannot be reached there is looked for at home, in turn.
func TestElsewhere(t *testing.T) {
	for _, to := range []string{"", "ws://other/"} {
		inLives(t, Config{}, func(t *testing.T, c *Client, l *lives) {
			home := l.dials.all()[0][len("0s "):]
			other := home
			if to != "" {
				other = "other:80"
			}
			time.Sleep(10*time.Second + time.Minute)
			equalTexts(t, "dials", l.dials.all(), "0s "+home, "12.25s "+other, "12.75s "+home, "13.75s "+other)
			check(t, c.Err())
		}, func(p *peer) {
			p.anew("t1")
			time.Sleep(10 * time.Second)
			p.send(codec.AppendBye(nil, codec.GoingAway, "update", 2000, to))
			p.end()
		}, nil, nil, func(p *peer) {
			p.hellos("t1", "t2")
			p.end()
		})
	}
}

// TestGivesUp: ends that are final, whatever was lost before.
func TestGivesUp(t *testing.T) {
	cases := []struct {
		name    string
		cfg     Reconnect
		scripts []func(p *peer)
		want    codec.Code
		dials   int
	}{
		{"off", Reconnect{Off: true}, nil, Lost, 1},
		{"three tries", Reconnect{Tries: 3}, nil, Lost, 4},
		{"a code that says no, in a try", Reconnect{}, []func(p *peer){nil, func(p *peer) {
			p.resumes("t1", codec.AppendBye(nil, codec.Unauthorized, "banned", 0, ""))
			p.end()
		}}, codec.Unauthorized, 3},
		{"no protocol", Reconnect{}, []func(p *peer){func(p *peer) {
			p.resumes("t1", []byte{0xc1})
			p.end()
		}}, codec.Malformed, 2},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			inLives(t, Config{Reconnect: tc.cfg}, func(t *testing.T, c *Client, l *lives) {
				seen := states(c)
				r, heard := join(t, c)
				<-c.Done()
				equal(t, "code", code(c.Err()), tc.want)
				equal(t, "emit", code(Emit(r, said, "late")), tc.want)
				equal(t, "dials", len(l.dials.all()), tc.dials)
				last := ""
				for _, s := range heard.all() {
					last += s
				}
				if tc.want == Lost || tc.want == codec.Unauthorized || tc.want == codec.Malformed {
					equal(t, "heard", last, fmt.Sprint("left ", uint16(tc.want)))
				}
				equal(t, "state", seen.all()[len(seen.all())-1], fmt.Sprint("closed ", uint16(tc.want)))
				_, err := c.Ping(context.Background())
				equal(t, "ping", code(err), tc.want)
			}, append([]func(p *peer){first}, tc.scripts...)...)
		})
	}
}

// TestCloseOffline: Close ends what waits for a connection, whatever that is doing; and a server that has just been reached hears
// the goodbye or nothing.
func TestCloseOffline(t *testing.T) {
	closes := func(phase Phase) func(t *testing.T, c *Client, l *lives) {
		return func(t *testing.T, c *Client, _ *lives) {
			r, heard := join(t, c)
			asked := make(chan error, 1)
			check(t, Ask(r, double, 1, func(_ int, err error) { asked <- err }))
			for c.State().Phase != phase {
				time.Sleep(ms)
			}
			time.Sleep(10 * ms)
			start := time.Now()
			_ = c.Close()
			<-c.Done()
			if took := time.Since(start); took > 2*grace {
				t.Errorf("closing took %v", took)
			}
			equal(t, "code", code(c.Err()), codec.Normal)
			equal(t, "request", code(<-asked), codec.Normal)
			equalTexts(t, "heard", heard.all(), "left 1000")
			equal(t, "state", c.State().Phase, Closed)
			check(t, c.Close())
		}
	}
	life := func(p *peer) {
		first(p)
		p.wantVolley()
	}
	t.Run("waiting", func(t *testing.T) { inLives(t, Config{}, closes(Reconnecting), life) })
	t.Run("in the handshake", func(t *testing.T) {
		inLives(t, Config{}, closes(Connecting), life, func(p *peer) {
			p.want(codec.FrameHello)
			p.end()
		})
	})
	t.Run("in a callback", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			c.OnState(func(s State) {
				if s.Phase == Connected {
					_ = c.Close()
				}
			})
			<-c.Done()
			equal(t, "code", code(c.Err()), codec.Normal)
		}, func(p *peer) { p.anew("t1") }, func(p *peer) {
			p.hellos("t1", "t2")
			_, err := p.read()
			var end *closed
			equal(t, "goodbye", errors.As(err, &end) && end.code == codec.Normal, true)
			p.end()
		})
	})
	t.Run("while dialling", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := &lives{tb: t, start: time.Now(), scripts: []func(p *peer){func(p *peer) { p.anew("t1") }}}
			dials := 0
			c, err := Dial(context.Background(), "tcp://memory:1", Config{NetDial: func(ctx context.Context, n, a string) (conn net.Conn, err error) {
				if dials++; dials == 1 {
					return l.dial(ctx, n, a)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			check(t, err)
			time.Sleep(time.Second)
			equal(t, "phase", c.State().Phase, Connecting)
			_ = c.Close()
			<-c.Done()
			equal(t, "code", code(c.Err()), codec.Normal)
		})
	})
}

// TestLastWords: a write that fails is no reason to overlook what the server has said before it hung up.
func TestLastWords(t *testing.T) {
	for code, want := range map[codec.Code]string{
		codec.Replaced: "closed 4013", codec.GoingAway: "reconnecting 1 in 1.25s after 1001",
	} {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			seen := states(c)
			held := make(chan struct{})
			r, err := c.Join(context.Background(), "pong", nil, func(r *Room) { On(r, said, func(string, Meta) { <-held }) })
			check(t, err)
			synctest.Wait() // the callback holds the reader, and BYE waits to be read
			go func() { _ = c.broken(lost(errUnreachable)) }()
			synctest.Wait()
			check(t, Emit(r, said, "kept"))
			close(held)
			time.Sleep(100 * ms)
			equal(t, "state", seen.all()[0], want)
		}, func(p *peer) {
			p.anew("t1")
			p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "hold")), codec.AppendBye(nil, code, "", 1000, ""))
			p.end()
		})
	}
}

// TestBrokenWrite: a server that takes nothing any more is given up, without an error to those who emit.
func TestBrokenWrite(t *testing.T) {
	inLives(t, Config{WriteTimeout: 3 * time.Second}, func(t *testing.T, c *Client, _ *lives) {
		r, _ := join(t, c)
		emitSaid(t, r, "a", "b") // the first waits for the write timeout
		time.Sleep(10 * time.Second)
		check(t, c.Err())
		equal(t, "ack", r.Ack(), 2)
	}, func(p *peer) {
		first(p)
		time.Sleep(8 * time.Second) // reads nothing
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(0))
		p.wantPackets("1/100: event a event b")
		p.send(volleyTo(0, 101, 2))
		p.end()
	})
}

// TestDeadServerComesBack: silence for too long is a loss like any other, but that it is answered at once; the session stays, so
// no goodbye is said.
func TestDeadServerComesBack(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, l *lives) {
		seen := states(c)
		join(t, c)
		time.Sleep(65 * time.Second)
		equalTexts(t, "states", seen.all(), "reconnecting 1 in 0s after 4008", "connecting 1", "connected true")
	}, func(p *peer) {
		first(p)
		_, err := p.read()
		var end *closed
		equal(t, "goodbye", errors.As(err, &end) && !end.eof, false)
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t1", "t2"), "0:100")
		p.send(resumed(0))
		p.end()
	})
}

// TestPingCut: a ping whose answer the cut has taken fails, and one on the next connection does not hear the old one's.
func TestPingCut(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		_, err := c.Ping(context.Background())
		equal(t, "cut", errors.Is(err, ErrOffline), true)
		time.Sleep(time.Second)
		took, err := c.Ping(context.Background())
		check(t, err)
		equal(t, "took", took, 50*ms)
	}, func(p *peer) {
		p.anew("t1")
		p.want(codec.FramePing)
	}, func(p *peer) {
		p.hellos("t1", "t2")
		r, n := p.want(codec.FramePing)
		stamp, _ := r.Stamp(n)
		time.Sleep(50 * ms)
		p.send(codec.AppendPong(nil, stamp))
		p.end()
	})
}
