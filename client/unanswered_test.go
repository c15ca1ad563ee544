package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestJoinUnanswered: a JOIN whose answer the cut has taken: it arrived, it did not, and one that was asked for offline.
func TestJoinUnanswered(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		type answer struct {
			r   *Room
			err error
		}
		answers := map[string]chan answer{}
		ask := func(kind string) {
			answers[kind] = make(chan answer, 1)
			go func() {
				r, err := c.Join(context.Background(), kind, nil)
				answers[kind] <- answer{r, err}
			}()
			synctest.Wait()
		}
		ask("zero")
		ask("one")
		ask("two")
		time.Sleep(100 * ms) // offline
		ask("three")
		for _, kind := range []string{"zero", "one"} {
			a := <-answers[kind]
			check(t, a.err)
			emitSaid(t, a.r, "hi")
		}
		equal(t, "refused", code((<-answers["two"]).err), codec.RoomFull)
		equal(t, "refused", code((<-answers["three"]).err), codec.NoSuchKind)
		time.Sleep(time.Second)
	}, func(p *peer) {
		p.anew("t1")
		p.wantJoin("0 2 zero")
		p.wantJoin("1 2 one")
		p.wantJoin("2 2 two")
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t1", "t2"), "0:joining 1:joining 2:joining")
		p.wantJoin("3 2 three")
		p.send(joinedFrame(0))
		equal(t, "channel", p.wantVolley().Channel, 0)
		p.send(codec.AppendLeft(nil, 1, codec.ResumeFailed, ""))
		p.wantJoin("1 2 one")
		p.send(joinedFrame(1), codec.AppendLeft(nil, 2, codec.RoomFull, "") /* the answer that was lost */)
		equal(t, "channel", p.wantVolley().Channel, 1)
		p.send(codec.AppendLeft(nil, 3, codec.NoSuchKind, ""))
		p.end()
	})
}

// TestJoinGivenUp: nobody waits any more for a join that the cut has taken, or that was asked for offline.
func TestJoinGivenUp(t *testing.T) {
	inLives(t, Config{}, func(t *testing.T, c *Client, _ *lives) {
		ctx, cancel := context.WithTimeout(context.Background(), 200*ms)
		defer cancel()
		go func() {
			_, err := c.Join(ctx, "zero", nil)
			equal(t, "given up", errors.Is(err, context.DeadlineExceeded), true)
		}()
		synctest.Wait()
		time.Sleep(100 * ms) // offline
		_, err := c.Join(ctx, "one", nil)
		equal(t, "given up", errors.Is(err, context.DeadlineExceeded), true)
		time.Sleep(time.Second)
		r, err := c.Join(context.Background(), "two", nil)
		check(t, err)
		equal(t, "a channel that is free again", r.channel, 0)
	}, func(p *peer) {
		p.anew("t1")
		p.wantJoin("0 2 zero")
	}, func(p *peer) {
		equal(t, "channels", p.hellos("t1", "t2"), "0:joining")
		p.send(joinedFrame(0))
		p.wantLeave()
		p.wantJoin("0 2 two")
		p.send(joinedFrame(0))
		p.end()
	})
}

// TestLeaveUnanswered: LEAVE or its LEFT is lost, or it was called offline; what was emitted before it goes first.
func TestLeaveUnanswered(t *testing.T) {
	leave := func(t *testing.T, c *Client, _ *lives) {
		r, heard := join(t, c)
		emitSaid(t, r, "last")
		check(t, r.Leave(context.Background()))
		equalTexts(t, "heard", heard.all(), "left 4100")
		equal(t, "emit", errors.Is(Emit(r, said, "late"), ErrNotJoined), true)
		check(t, c.Err())
		time.Sleep(time.Second)
		r, _ = join(t, c)
		equal(t, "channel", r.channel, 0)
	}
	first := func(p *peer) {
		p.anew("t1")
		p.admit()
		p.wantPackets("1/100: event last")
		p.want(codec.FrameLeave)
	}
	after := func(p *peer) {
		p.admit()
		p.end()
	}
	t.Run("LEAVE is lost", func(t *testing.T) {
		inLives(t, Config{}, leave, first, func(p *peer) {
			equal(t, "channels", p.hellos("t1", "t2"), "0:100")
			p.send(resumed(0))
			p.wantPackets("1/100: event last")
			p.wantLeave()
			after(p)
		})
	})
	t.Run("and again", func(t *testing.T) {
		inLives(t, Config{}, leave, first, func(p *peer) {
			p.hellos("t1", "t2")
			p.send(resumed(1))
			p.want(codec.FrameLeave)
		}, func(p *peer) {
			p.hellos("t2", "t3")
			p.send(resumed(1))
			p.wantLeave()
			after(p)
		})
	})
	t.Run("LEFT is lost", func(t *testing.T) {
		inLives(t, Config{}, leave, first, func(p *peer) {
			p.hellos("t1", "t2")
			p.send(codec.AppendLeft(nil, 0, codec.ResumeFailed, "")) // the server has forgotten why
			after(p)
		})
	})
	t.Run("the session is lost", func(t *testing.T) {
		inLives(t, Config{}, leave, first, func(p *peer) { p.refuses("t1") }, func(p *peer) {
			p.anew("u1")
			after(p)
		})
	})
	t.Run("offline", func(t *testing.T) {
		inLives(t, Config{}, func(t *testing.T, c *Client, l *lives) {
			r, heard := join(t, c)
			time.Sleep(100 * ms)
			emitSaid(t, r, "last")
			check(t, r.Leave(context.Background()))
			equalTexts(t, "heard", heard.all(), "left 4100")
		}, func(p *peer) {
			p.anew("t1")
			p.admit()
		}, func(p *peer) {
			equal(t, "channels", p.hellos("t1", "t2"), "0:100")
			p.send(resumed(0))
			p.wantPackets("1/100: event last")
			p.wantLeave()
			p.end()
		})
	})
}
