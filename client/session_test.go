package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/volley-go/volley/codec"
)

// first is a first life: it welcomes with token t1, lets the client in, and cuts the connection.
func first(p *peer) {
	p.anew("t1")
	p.admit()
}

// joinedAs is a JOINED on channel 0 of another room and number.
func joinedAs(id string, client uint32) []byte {
	return codec.AppendJoined(nil, codec.Joined{Room: id, Kind: "pong", Client: client, Tick: 5, Rate: 60, Acks: 1000})
}

// TestRejoin: a session that cannot be resumed costs the seat; the rooms are joined again, the same one first.
func TestRejoin(t *testing.T) {
	run := func(t *testing.T, c *Client, _ *lives) {
		seen := states(c)
		r, heard := join(t, c)
		emitSaid(t, r, "a", "b")
		asked := make(chan error, 1)
		check(t, Ask(r, double, 1, func(_ int, err error) { asked <- err }))
		time.Sleep(100 * ms)
		emitSaid(t, r, "c")
		equal(t, "request", code(<-asked), codec.ResumeFailed) // when the server refuses the token
		equal(t, "emit", errors.Is(Emit(r, said, "too early"), ErrNotJoined), true)
		_, err := Request(context.Background(), r, double, 1)
		equal(t, "request", errors.Is(err, ErrNotJoined), true)
		check(t, r.Err())
		time.Sleep(time.Second)
		equal(t, "seq", r.Seq(), 0)
		equal(t, "tick", r.Tick(), 5)
		equal(t, "client", r.ClientID(), 9)
		equal(t, "session", c.Session(), "s2")
		emitSaid(t, r, "d")
		time.Sleep(100 * ms)
		equalTexts(t, "heard", heard.all(), "rejoin 3", "new@6")
		equalTexts(t, "states", seen.all(), "reconnecting 1 in 250ms after 1006", "connecting 1",
			"reconnecting 2 in 0s after 4014", "connecting 2", "connected false")
	}
	life := func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: event a")
		p.wantPackets("2/100: event b")
		p.wantPackets("3/100: request 1")
		p.send(volleyTo(0, 101, 1))
	}
	anew := func(p *peer) {
		time.Sleep(100 * ms)
		w := welcomes("u1")
		w.Session = "s2"
		w.Names = []string{"said", "state"} // another table
		equal(t, "a new session", p.hello(w).Resume == nil, true)
	}
	after := func(p *peer) {
		v := p.wantPackets("1/5: event d")
		equal(t, "index", v.packets[0].Index, 0)
		p.send(volleyTo(0, 6, 1, eventPacket(0, "new")))
		p.end()
	}
	t.Run("the same room", func(t *testing.T) {
		inLives(t, Config{}, run, life, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			anew(p)
			p.wantJoin("0 3 r1")
			p.send(joinedAs("r1", 9))
			after(p)
		})
	})
	t.Run("another room", func(t *testing.T) {
		inLives(t, Config{}, run, life, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			anew(p)
			p.wantJoin("0 3 r1")
			p.send(codec.AppendLeft(nil, 0, codec.NoSuchRoom, ""))
			r, n := p.want(codec.FrameJoin)
			j, err := r.Join(n)
			check(t, err)
			var opts string
			check(t, codec.Unmarshal(j.Options, &opts))
			equal(t, "join", fmt.Sprint(j.Channel, j.How, j.Name, opts), fmt.Sprint(0, codec.JoinOrCreate, "pong", "opts"))
			p.send(joinedAs("r2", 9))
			after(p)
		})
	})
	t.Run("cut while joining again", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			r, heard := join(t, c)
			time.Sleep(time.Minute)
			equalTexts(t, "heard", heard.all(), "rejoin 0")
			equal(t, "id", r.ID(), "r2")
		}, first, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			p.anew("u1")
			p.wantJoin("0 3 r1") // and its answer is lost
		}, func(p *peer) {
			equal(t, "channels", p.hellos("u1", "u2"), "0:joining")
			p.send(codec.AppendLeft(nil, 0, codec.ResumeFailed, ""))
			p.wantJoin("0 3 r1")
			p.send(codec.AppendLeft(nil, 0, codec.RoomFull, ""))
			p.wantJoin("0 0 pong")
		}, func(p *peer) { p.refuses("u2") }, func(p *peer) { p.refuses("u1") }, func(p *peer) {
			p.anew("v1")
			p.wantJoin("0 0 pong")
			p.send(joinedAs("r2", 9))
			p.end()
		})
	})
	t.Run("refused", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			r, heard := join(t, c)
			<-r.Done()
			equalTexts(t, "heard", heard.all(), "left 4102")
			equal(t, "error", code(r.Err()), codec.RoomLocked)
			check(t, c.Err())
		}, first, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			p.anew("u1")
			p.wantJoin("0 3 r1")
			p.send(codec.AppendLeft(nil, 0, codec.RoomFull, ""))
			p.wantJoin("0 0 pong")
			p.send(codec.AppendLeft(nil, 0, codec.RoomLocked, ""))
			p.end()
		})
	})
	t.Run("one seat only", func(t *testing.T) { // the session goes on, this membership does not
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			_, heard := join(t, c)
			time.Sleep(time.Second)
			equalTexts(t, "heard", heard.all(), "rejoin 0")
		}, first, func(p *peer) {
			equal(t, "channels", p.hellos("t1", "t2"), "0:100")
			p.send(codec.AppendLeft(nil, 0, codec.ResumeFailed, "too far behind"))
			p.wantJoin("0 3 r1")
			p.send(joinedAs("r1", 9))
			p.end()
		})
	})
	t.Run("left meanwhile", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			r, heard := join(t, c)
			time.Sleep(400 * ms) // the JOIN is under way
			check(t, r.Leave(context.Background()))
			equalTexts(t, "heard", heard.all(), "left 4100")
		}, first, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			p.anew("u1")
			p.wantJoin("0 3 r1")
			time.Sleep(time.Second)
			p.send(joinedAs("r1", 9))
			p.wantLeave()
			p.end()
		})
	})
	t.Run("fewer rooms", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			_, one := join(t, c)
			_, two := join(t, c)
			time.Sleep(time.Second)
			equalTexts(t, "the first", one.all(), "rejoin 0")
			equalTexts(t, "the second", two.all(), "left 4109")
		}, func(p *peer) {
			first(p)
			p.admit()
		}, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			w := welcome()
			w.Rooms = 1
			p.hello(w)
			p.admit()
			p.end()
		})
	})
}

// TestNoRejoin: with that, the end of the session is the end of the rooms, and the client stays, to join what it wants.
func TestNoRejoin(t *testing.T) {
	inLives(t, Config{Reconnect: Reconnect{NoRejoin: true}}, func(t *testing.T, c *Client, _ *lives) {
		r, heard := join(t, c)
		back := make(chan struct{})
		c.OnState(func(s State) {
			if s.Phase == Connected {
				equal(t, "resumed", s.Resumed, false)
				equalTexts(t, "heard", heard.all(), "left 4014")
				close(back)
			}
		})
		<-back
		equal(t, "error", errors.Is(r.Err(), ErrNotJoined), true)
		r, _ = join(t, c)
		equal(t, "channel", r.channel, 0)
	}, first, func(p *peer) { p.refuses("t1") }, func(p *peer) {
		p.anew("u1")
		p.admit()
		p.end()
	})
}

// TestNewSessions: ends and servers without a token lead to a new session, and how soon.
func TestNewSessions(t *testing.T) {
	anew := func(p *peer) {
		p.anew("u1")
		p.wantJoin("0 3 r1")
		p.send(joinedAs("r1", 9))
		p.end()
	}
	bye := func(code codec.Code) func(p *peer) {
		return func(p *peer) {
			first(p)
			p.send(codec.AppendBye(nil, code, "why", 0, ""))
			p.end()
		}
	}
	run := func(wants ...string) func(t *testing.T, c *Client, l *lives) {
		return func(t *testing.T, c *Client, l *lives) {
			seen := states(c)
			_, heard := join(t, c)
			time.Sleep(10 * time.Second)
			equalTexts(t, "heard", heard.all(), "rejoin 0")
			equalTexts(t, "states", seen.all(), wants...)
		}
	}
	t.Run("slow consumer", func(t *testing.T) {
		inLives(t, Config{}, run("reconnecting 1 in 0s after 4011", "connecting 1", "connected false"), bye(codec.SlowConsumer), anew)
	})
	t.Run("twice in a row", func(t *testing.T) {
		inLives(t, Config{}, run("reconnecting 1 in 0s after 4016", "connecting 1", "reconnecting 2 in 500ms after 1006", "connecting 2",
			"connected false"), bye(codec.BadSequence), nil, anew)
	})
	t.Run("no token", func(t *testing.T) {
		inLives(t, Config{}, run("reconnecting 1 in 250ms after 1006", "connecting 1", "connected false"), func(p *peer) {
			p.hello(welcome())
			p.admit()
		}, anew)
	})
	t.Run("a server that does not know tokens", func(t *testing.T) {
		inLives(t, Config{}, run("reconnecting 1 in 250ms after 1006", "connecting 1", "connected false"), first, func(p *peer) {
			p.resumes("t1", codec.AppendWelcome(nil, welcome()))
			p.wantJoin("0 3 r1")
			p.send(joinedAs("r1", 9))
			p.end()
		})
	})
}

// TestTokens: each WELCOME gives a new one; one that is refused is not the last word as long as the one before it is there.
func TestTokens(t *testing.T) {
	stays := func(t *testing.T, c *Client, _ *lives) {
		_, heard := join(t, c)
		time.Sleep(time.Minute)
		equalTexts(t, "heard", heard.all(), "back@101")
	}
	back := func(p *peer) {
		p.send(resumed(0), volleyTo(0, 101, 0, eventPacket(iSaid, "back")))
		p.end()
	}
	t.Run("the new one is refused, the old one is good", func(t *testing.T) {
		inLives(t, Config{}, stays, first, func(p *peer) {
			p.hellos("t1", "t2")
		}, func(p *peer) { p.refuses("t2") }, func(p *peer) {
			p.hellos("t1", "t2")
			back(p)
		})
	})
	t.Run("a second try that the server heard late", func(t *testing.T) {
		inLives(t, Config{DialTimeout: time.Second}, stays, first, func(p *peer) {
			p.resumes("t1", nil)
			time.Sleep(5 * time.Second) // the client gives up; the server will come to it later
		}, func(p *peer) {
			p.hellos("t1", "t2")
			p.send(codec.AppendBye(nil, codec.Replaced, "", 0, ""))
			p.end()
		}, func(p *peer) {
			p.hellos("t2", "t3")
			back(p)
		})
	})
	t.Run("both are refused", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
			seen := states(c)
			_, heard := join(t, c)
			time.Sleep(time.Minute)
			equalTexts(t, "heard", heard.all(), "rejoin 0")
			equalTexts(t, "states", seen.all()[2:], "connected true", "reconnecting 2 in 500ms after 1006", "connecting 2",
				"reconnecting 2 in 0s after 4014", "connecting 2", "reconnecting 3 in 0s after 4014", "connecting 3", "connected false")
		}, first, func(p *peer) { p.hellos("t1", "t2") }, func(p *peer) { p.refuses("t2") }, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			p.anew("u1")
			p.wantJoin("0 3 r1")
			p.send(joinedAs("r1", 9))
			p.end()
		})
	})
	t.Run("replaced by somebody else", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, l *lives) {
			join(t, c)
			<-c.Done()
			equal(t, "code", code(c.Err()), codec.Replaced)
			equal(t, "dials", len(l.dials.all()), 1)
		}, func(p *peer) {
			first(p)
			p.send(codec.AppendBye(nil, codec.Replaced, "", 0, ""))
			p.end()
		})
	})
}

// TestAuth: the session's token speaks for it; a new one asks for what to say.
func TestAuth(t *testing.T) {
	calls := 0
	says := func(p *peer, want string) {
		var got string
		check(t, codec.Unmarshal(p.hello(welcomes("t1")).Auth, &got))
		equal(t, "auth", got, want)
	}
	cfg := Config{Auth: "not this", AuthFunc: func(context.Context) (any, error) {
		calls++
		if calls%4 == 2 {
			return nil, errors.New("no token today")
		}
		return fmt.Sprint("token ", calls%4), nil
	}}
	inLives(t, cfg, func(t *testing.T, c *Client, l *lives) {
		time.Sleep(time.Minute)
		equal(t, "dials", len(l.dials.all()), 5) // and one try that did not come so far
		check(t, c.Err())
		calls = 0
	}, func(p *peer) { says(p, "token 1") }, func(p *peer) { p.hellos("t1", "t2") }, func(p *peer) {
		p.resumes("t2", codec.AppendBye(nil, codec.ResumeFailed, "", 0, ""))
		p.end()
	}, func(p *peer) {
		p.resumes("t1", codec.AppendBye(nil, codec.ResumeFailed, "", 0, ""))
		p.end()
	}, func(p *peer) {
		says(p, "token 3")
		p.end()
	})
	cfg.AuthFunc = func(context.Context) (any, error) { return nil, errUnreachable }
	_, err := Dial(t.Context(), "tcp://memory:1", cfg)
	equal(t, "Dial", errors.Is(err, errUnreachable), true)
}
