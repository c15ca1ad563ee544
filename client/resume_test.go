package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/volley-go/volley/codec"
)

func emitSaid(t testing.TB, r *Room, texts ...string) {
	t.Helper()
	for _, s := range texts {
		check(t, Emit(r, said, s))
	}
}

// TestComesBack: a cut, a connection that resumes, and nothing is lost, twice or out of order, both ways.
func TestComesBack(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, l *lives) {
		seen := states(c)
		r, heard := join(t, c)
		synctest.Wait() // x is handled
		emitSaid(t, r, "a", "b")
		time.Sleep(100 * ms) // the connection is lost
		equal(t, "phase", c.State().Phase, Reconnecting)
		emitSaid(t, r, "c", "d")
		_, err := c.Ping(context.Background())
		equal(t, "ping", errors.Is(err, ErrOffline), true)
		time.Sleep(time.Second)
		emitSaid(t, r, "e")
		time.Sleep(time.Second)
		equal(t, "seq", r.Seq(), 5)
		equal(t, "ack", r.Ack(), 3)
		check(t, c.Err())
		equalTexts(t, "heard", heard.all(), "x@101", "y@103", "z@103")
		equalTexts(t, "states", seen.all(), "reconnecting 1 in 250ms after 1006", "connecting 1",
			"reconnecting 2 in 500ms after 1006", "connecting 2", "connected true")
		equal(t, "dials", len(l.dials.all()), 3)
	}, func(p *peer) {
		p.anew("t1")
		p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "x")))
		p.wantPackets("1/101: event a")
		p.wantPackets("2/101: event b")
	}, nil, func(p *peer) {
		equal(t, "channels", p.hellos("t1", "t2"), "0:101")
		p.send(resumed(1))
		p.wantPackets("2/101: event b event c event d")
		p.send(volleyTo(0, 103, 3, eventPacket(iSaid, "y"), eventPacket(iSaid, "z")))
		p.wantPackets("5/103: event e")
		p.end()
	})
}

// TestRequestsSurvive: ours is answered once, the server's is handled once and its answer sent again.
func TestRequestsSurvive(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		r, heard := join(t, c)
		resp, err := Request(context.Background(), r, double, 21)
		check(t, err)
		equal(t, "response", resp, 42)
		time.Sleep(time.Second)
		equalTexts(t, "heard", heard.all(), "greet Ann", "after@102")
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: request 21")
		p.send(volleyTo(0, 101, 1, requestPacket(iGreet, "Ann", 7)))
		p.wantPackets("2/101: reply hello Ann") // and it is lost
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(1))
		p.wantPackets("2/101: reply hello Ann")
		p.send(volleyTo(0, 102, 2, replyPacket(42, 1), eventPacket(iSaid, "after")))
		p.end()
	})
}

// TestResync: who was away for too long is told, and of the requests those fail that were processed, whose reply is lost.
func TestResync(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		r, heard := join(t, c)
		var answers texts
		ask := func(n int) {
			check(t, Ask(r, double, n, func(resp int, err error) {
				switch {
				case errors.Is(err, ErrReplyLost):
					answers.add("lost")
				case err != nil:
					t.Error(err)
				case resp == 2*n:
					answers.add("right")
				}
			}))
		}
		ask(1)
		ask(2)
		synctest.Wait()
		time.Sleep(100 * ms)
		ask(3) // never left
		ask(30)
		time.Sleep(300 * ms)
		equalTexts(t, "answers", answers.all(), "lost", "lost", "right", "lost")
		equal(t, "tick", r.Tick(), 501)
		ask(4)
		ask(5)
		time.Sleep(time.Second)
		equalTexts(t, "answers", answers.all(), "lost", "lost", "right", "lost", "lost", "right")
		equalTexts(t, "heard", heard.all(), "resync 500", "all@501", "resync 600", "again@601")
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: request 1")
		p.wantPackets("2/100: request 2")
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(2))
		p.wantPackets("3/100: request 3 request 30") // which are processed, and the first before RESYNC
		p.send(codec.AppendResync(nil, 0, 500))
		p.send(volleyTo(0, 501, 4, eventPacket(iSaid, "all"), replyPacket(60, 4)))
		p.wantPackets("5/501: request 4")
		p.wantPackets("6/501: request 5")
		p.send(codec.AppendResync(nil, 0, 600)) // while the connection stands
		p.send(volleyTo(0, 601, 5, eventPacket(iSaid, "again")))
		p.send(volleyTo(0, 602, 6, replyPacket(10, 6)))
		p.end()
	})
}

// TestResyncThenCut: a connection that is lost before the room has told its state anew must be told again.
func TestResyncThenCut(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		_, heard := join(t, c)
		time.Sleep(10 * time.Second)
		equalTexts(t, "heard", heard.all(), "resync 500", "resync 505", "all@506")
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(0), codec.AppendResync(nil, 0, 500))
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t2", "t3"), "0:100")
		p.send(resumed(0), codec.AppendResync(nil, 0, 505), volleyTo(0, 506, 0, eventPacket(iSaid, "all")))
		p.end()
	})
}

// TestCutWhileResuming: connections that are cut at each step of coming back, and a WELCOME that never arrives.
func TestCutWhileResuming(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		r, heard := join(t, c)
		emitSaid(t, r, "a", "b", "c")
		time.Sleep(2 * time.Minute)
		equalTexts(t, "heard", heard.all(), "x@102", "y@103")
		equal(t, "ack", r.Ack(), 3)
		equal(t, "session", c.Session(), "s1")
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: event a")
	}, func(p *peer) {
		p.resumes("t1", nil) // WELCOME, with t2, is lost
	}, func(p *peer) {
		p.resumes("t1", nil) // again
	}, func(p *peer) {
		p.hellos("t1", "t2") // what follows WELCOME is lost
	}, func(p *peer) {
		p.hellos("t2", "t3")
		p.send(resumed(1))
		p.wantPackets("2/100: event b event c") // and does not arrive
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t3", "t4"), "0:100")
		p.send(resumed(1), volleyTo(0, 102, 1, eventPacket(iSaid, "x")))
		p.wantPackets("2/100: event b event c") // arrives
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t4", "t5"), "0:102")
		p.send(resumed(3), volleyTo(0, 103, 3, eventPacket(iSaid, "y")))
		p.wantPackets("4/103:")
		p.end()
	})
}

// TestLateArrivals: what the old connection brought behind RESUMED's back may be acknowledged although it was to be sent again.
func TestLateArrivals(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		r, _ := join(t, c)
		emitSaid(t, r, "a", "b")
		time.Sleep(time.Second)
		emitSaid(t, r, "c")
		time.Sleep(time.Second)
		check(t, c.Err())
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: event a")
		p.wantPackets("2/100: event b")
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(0), volleyTo(0, 101, 2))
		if v := p.wantVolley(); v.Seq == 1 { // sent again, before or after the acknowledgement was heard
			v = p.wantVolley()
			equal(t, "seq", v.Seq, 3)
		}
		p.end()
	})
}

// TestFullOffline: what waits is bounded, and the refusal has a name.
func TestFullOffline(t *testing.T) {
	inLives(t, Config{Unacknowledged: 1 << 10}, func(t *testing.T, c *Client, _ *lives) {
		r, _ := join(t, c)
		time.Sleep(100 * ms)
		n := 0
		err := error(nil)
		for ; err == nil; n++ {
			err = Emit(r, said, "twenty bytes or more")
		}
		equal(t, "full", errors.Is(err, ErrFull), true)
		if n < 20 || n > 50 {
			t.Errorf("%d events of 22 bytes fit into 1 KiB", n)
		}
		for ; Emit(r, said, "") == nil; n++ {
		}
		_, err = Request(context.Background(), r, double, 1)
		equal(t, "request", errors.Is(err, ErrFull), true)
		time.Sleep(time.Second)
		check(t, Emit(r, said, "room again"))
		equal(t, "seq", r.Seq(), uint64(n))
	}, func(p *peer) {
		p.anew("t1")
		p.admit()
	}, func(p *peer) {
		p.hellos("t1", "t2")
		p.send(resumed(0))
		v := p.wantVolley()
		equal(t, "seq", v.Seq, 1)
		p.send(volleyTo(0, 101, uint64(len(v.packets))))
		p.wantVolley()
		p.end()
	})
}

// TestBadResumed: a server that resumes what cannot be.
func TestBadResumed(t *testing.T) {
	first := func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: event a")
		p.send(volleyTo(0, 101, 1))
	}
	cases := []struct {
		name   string
		frames [][]byte
		want   codec.Code // of the client's end; 0: it comes back as a new session
	}{
		{"before what is acknowledged", [][]byte{resumed(0)}, 0},
		{"behind what was sent", [][]byte{resumed(2)}, 0},
		{"twice", [][]byte{resumed(1), resumed(1)}, codec.UnexpectedFrame},
		{"nobody's channel", [][]byte{codec.AppendResumed(nil, 3, 1)}, codec.BadChannel},
		{"RESYNC first", [][]byte{codec.AppendResync(nil, 0, 200)}, codec.UnexpectedFrame},
		{"RESYNC into the past", [][]byte{resumed(1), codec.AppendResync(nil, 0, 99)}, codec.UnexpectedFrame},
		{"VOLLEY first", [][]byte{volleyTo(0, 102, 1)}, codec.UnexpectedFrame},
		{"JOINED", [][]byte{joinedFrame(0)}, codec.BadChannel},
		{"other names", [][]byte{resumed(1), codec.AppendNames(nil, 0, []string{"other"})}, codec.UnexpectedFrame},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
				r, heard := join(t, c)
				emitSaid(t, r, "a")
				time.Sleep(10 * time.Second)
				equal(t, "code", code(c.Err()), tc.want)
				if tc.want == 0 {
					equalTexts(t, "heard", heard.all(), "rejoin 0")
				}
			}, first, func(p *peer) {
				p.hellos("t1", "t2")
				p.send(tc.frames...)
				p.end()
			}, func(p *peer) {
				p.anew("u1")
				p.admit()
				p.end()
			})
		})
	}
}
