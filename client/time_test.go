package client

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/volley-go/volley/codec"
)

// inBubble runs script against a client in a bubble of virtual time. They share a gate.
func inBubble(t *testing.T, cfg Config, script func(p *peer, gate chan struct{}), run func(c *Client, gate chan struct{})) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		dialled := pipe(t, true, func(p *peer) { script(p, gate) })
		cfg.NetDial = dialled.NetDial
		c, err := Dial(context.Background(), "ws://memory/", cfg)
		check(t, err)
		run(c, gate)
		_ = c.Close()
		<-c.Done()
	})
}

// TestAcknowledgements: ticks are acknowledged within half of the interval, by any VOLLEY, and none is sent without need.
func TestAcknowledgements(t *testing.T) {
	inBubble(t, Config{}, func(p *peer, ready chan struct{}) {
		p.hello(welcome())
		p.admit()
		start := time.Now()
		p.send(volleyTo(0, 101, 0))
		time.Sleep(100 * time.Millisecond)
		p.send(volleyTo(0, 102, 0))
		v := p.wantVolley()
		equal(t, "after", time.Since(start), 500*time.Millisecond) // JOINED says 1000 ms
		equal(t, "tick", v.Tick, 102)
		equal(t, "packets", len(v.packets), 0)
		equal(t, "seq", v.Seq, 1)

		start = time.Now()
		p.send(volleyTo(0, 103, 0))
		close(ready) // the client emits after 300 ms
		v = p.wantVolley()
		equal(t, "after", time.Since(start), 300*time.Millisecond)
		equal(t, "packets", len(v.packets), 1)
		equal(t, "tick", v.Tick, 103)

		start = time.Now()
		p.send(volleyTo(0, 103, 1)) // is acknowledged
		time.Sleep(3 * time.Second)
		p.send(volleyTo(0, 104, 1))
		v = p.wantVolley()
		equal(t, "after", time.Since(start), 3500*time.Millisecond) // and none in between
		equal(t, "tick", v.Tick, 104)
		equal(t, "seq", v.Seq, 2)
		p.end()
	}, func(c *Client, ready chan struct{}) {
		r, err := c.Join(context.Background(), "pong", nil)
		check(t, err)
		<-ready
		time.Sleep(300 * time.Millisecond)
		check(t, Emit(r, move, Move{}))
		time.Sleep(5 * time.Second)
	})
}

// TestDeadServer: silence for two and a half ping intervals is the end, and what is heard puts it off.
func TestDeadServer(t *testing.T) {
	start := time.Now()
	inBubble(t, final, func(p *peer, _ chan struct{}) {
		start = time.Now()
		p.hello(welcome())
		p.admit()
		for range 3 {
			time.Sleep(60 * time.Second)
			p.send(codec.AppendPing(nil, 1))
			p.want(codec.FramePong)
		}
		start = time.Now()
		p.end()
	}, func(c *Client, _ chan struct{}) {
		_, err := c.Join(context.Background(), "pong", nil)
		check(t, err)
		<-c.Done()
		equal(t, "code", code(c.Err()), codec.IdleTimeout)
		equal(t, "rule", codec.IdleTimeout.Reconnect(), codec.Anew)
		equal(t, "after", time.Since(start), 63500*time.Millisecond) // 2.5 × 25 s, and the last chance
	})
}

// TestLongCallback: a server whose words wait behind a callback is not dead.
func TestLongCallback(t *testing.T) {
	inBubble(t, Config{}, func(p *peer, _ chan struct{}) {
		p.hello(welcome())
		p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "think")))
		go p.send(codec.AppendPing(nil, 1)) // a pipe takes it when the client reads
		p.want(codec.FrameVolley)           // the acknowledgement that is overdue
		p.want(codec.FramePong)
		p.end()
	}, func(c *Client, _ chan struct{}) {
		_, err := c.Join(context.Background(), "pong", nil, func(r *Room) {
			On(r, said, func(string, Meta) { time.Sleep(10 * time.Minute) })
		})
		check(t, err)
		time.Sleep(11 * time.Minute)
		check(t, c.Err())
	})
}

// TestNoPing: a server that does not ping may be silent.
func TestNoPing(t *testing.T) {
	w := welcome()
	w.Ping = 0
	inBubble(t, Config{}, func(p *peer, _ chan struct{}) {
		p.hello(w)
		p.end()
	}, func(c *Client, _ chan struct{}) {
		time.Sleep(48 * time.Hour)
		check(t, c.Err())
	})
}

// TestWriteTimeout: a server that stops reading is given up.
func TestWriteTimeout(t *testing.T) {
	inBubble(t, Config{WriteTimeout: 3 * time.Second, Reconnect: final.Reconnect}, func(p *peer, stuck chan struct{}) {
		p.hello(welcome())
		p.admit()
		<-stuck
	}, func(c *Client, stuck chan struct{}) {
		r, err := c.Join(context.Background(), "pong", nil)
		check(t, err)
		start := time.Now()
		err = Emit(r, move, Move{})
		if took := time.Since(start); took < 3*time.Second || took > 6*time.Second {
			t.Errorf("Emit took %v", took)
		}
		equal(t, "code", code(err), Lost)
		equal(t, "cause", errors.Is(err, os.ErrDeadlineExceeded), true)
		<-c.Done()
		close(stuck)
	})
}

// TestCloseCutsWriters: Close does not wait for a writer that is stuck, but for a second.
func TestCloseCutsWriters(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	c := dialT(t, "ws://memory/", pipe(t, true, func(p *peer) { // in true time: a bubble's does not pass before a mutex
		p.hello(welcome())
		p.admit()
		<-stuck
	}))
	r, err := c.Join(context.Background(), "pong", nil)
	check(t, err)
	emitted := make(chan error)
	go func() { emitted <- Emit(r, move, Move{}) }()
	for c.wmu.TryLock() {
		c.wmu.Unlock()
		time.Sleep(time.Millisecond)
	}
	start := time.Now()
	_ = c.Close()
	equal(t, "emit", code(<-emitted), codec.Normal)
	<-c.Done()
	if took := time.Since(start); took > 3*grace {
		t.Errorf("closing took %v", took)
	}
}

// TestContexts: what waits gives up with its context, and a join that was given up is left when it comes true.
func TestContexts(t *testing.T) {
	inBubble(t, Config{}, func(p *peer, _ chan struct{}) {
		p.hello(welcome())
		r, n := p.want(codec.FrameJoin)
		j, _ := r.Join(n)
		time.Sleep(10 * time.Second)
		p.send(joinedFrame(j.Channel), volleyTo(j.Channel, 101, 0, eventPacket(iSaid, "welcome")))
		p.want(codec.FrameLeave)
		time.Sleep(time.Second)
		p.send(volleyTo(j.Channel, 102, 0, eventPacket(iSaid, "still")), codec.AppendLeft(nil, j.Channel, codec.Left, ""))

		equal(t, "a channel that is free again", p.admit().Channel, 0)
		v := p.wantVolley()
		time.Sleep(2 * time.Second)
		p.send(volleyTo(0, 101, 1, replyPacket(1, uint64(v.packets[0].ID)))) // too late
		p.want(codec.FramePing)
		p.want(codec.FrameVolley)
		p.want(codec.FrameLeave)
		p.end()
	}, func(c *Client, _ chan struct{}) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var given *Room
		wrong := func(string, Meta) { t.Error("a callback of a join that was given up") }
		_, err := c.Join(ctx, "pong", nil, func(r *Room) {
			given = r
			On(r, said, wrong)
			r.OnLeft(func(codec.Code, string) { wrong("", Meta{}) })
		})
		equal(t, "join", errors.Is(err, context.DeadlineExceeded), true)
		time.Sleep(9500 * time.Millisecond) // the server has let us in
		equal(t, "emit", errors.Is(Emit(given, move, Move{}), ErrNotJoined), true)
		time.Sleep(10 * time.Second)

		r, err := c.Join(context.Background(), "pong", nil)
		check(t, err)
		ctx, cancel = context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err = Request(ctx, r, double, 1)
		equal(t, "request", errors.Is(err, context.DeadlineExceeded), true)
		time.Sleep(1200 * time.Millisecond) // the reply comes
		_, err = c.Ping(ctx)
		equal(t, "ping", errors.Is(err, context.DeadlineExceeded), true)
		time.Sleep(time.Second)
		equal(t, "leave", errors.Is(r.Leave(ctx), context.DeadlineExceeded), true)
		equal(t, "left", errors.Is(Emit(r, move, Move{}), ErrNotJoined), true)
	})
}
