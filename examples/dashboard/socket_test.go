package main

import (
	"context"
	"testing"
	"time"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
)

// listener is the Go client as a dashboard.
type listener struct {
	t       *testing.T
	ctx     context.Context
	room    *client.Room
	changed chan struct{}

	known map[string]float64 // of the goroutine that reads, as what follows
	count map[string]Count
	demo  Demo
	low   map[string]float64 // the least so far
	heard []Change
	ask   chan func()
}

func listen(t *testing.T, addr string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	l := &listener{t: t, ctx: ctx, known: map[string]float64{}, count: map[string]Count{}, low: map[string]float64{}, ask: make(chan func())}
	c, err := client.Dial(ctx, "ws://"+addr+"/volley", client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	hear := func(ch Change) {
		l.heard = append(l.heard, ch)
		for name, v := range ch.Values {
			if v == nil {
				delete(l.known, name)
				continue
			}
			if low, known := l.low[name]; !known || *v < low {
				l.low[name] = *v
			}
			l.known[name] = *v
		}
	}
	l.room, err = c.JoinOrCreate(ctx, "dashboard", nil, func(r *client.Room) {
		client.On(r, history, func(h History, _ client.Meta) {
			for _, ch := range h.Changes {
				hear(ch)
			}
		})
		client.On(r, change, func(ch Change, _ client.Meta) { hear(ch) })
		client.On(r, count, func(n Count, _ client.Meta) { l.count[n.What+" "+n.Name] = n })
		client.On(r, demo, func(d Demo, _ client.Meta) { l.demo = d })
		r.OnVolley(func(client.Meta) {
			select {
			case f := <-l.ask:
				f()
			default:
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// until waits until what has been heard is as wanted.
func (l *listener) until(what string, done func() bool) {
	l.t.Helper()
	for {
		answer := make(chan bool, 1)
		select {
		case l.ask <- func() { answer <- done() }:
			if <-answer {
				return
			}
		case <-l.ctx.Done():
			l.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// TestOverSockets watches with the Go client: the same program, the same wire, no browser.
func TestOverSockets(t *testing.T) {
	addr, stop := serve(t, "127.0.0.1:0", Ask{3, 2})
	l := listen(t, addr)
	emit := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l.until("six bots and this client, in three rooms and the board", func() bool {
		k := l.known
		return k["conns"] == 7 && k["players"] == 7 && k["rooms"] == 4 && k["sio"] == 0
	})
	l.until("their traffic", func() bool {
		k := l.known // 6 bots × 20 frames
		return k["framesOut"] > 100 && k["framesOut"] < 140 && k["framesIn"] > 15 && k["bytesOut"] > 1000 && k["ran"] > 90
	})
	emit(client.Emit(l.room, ask, Ask{5, 4}))
	l.until("more of them", func() bool { return l.known["players"] == 21 && l.known["rooms"] == 6 && l.demo.Bots == 4 })
	emit(client.Emit(l.room, ask, Ask{1, 1}))
	l.until("fewer of them", func() bool { return l.known["players"] == 2 && l.known["rooms"] == 2 && l.known["conns"] == 2 })

	emit(client.Emit(l.room, disturb, insult))
	l.until("a client that was closed", func() bool {
		n := l.count["connection closed "+codec.BadPayload.String()]
		return n.N == 1 && n.Code == uint16(codec.BadPayload)
	})
	emit(client.Emit(l.room, disturb, hold))
	l.until("ticks that were skipped, and that this is over", func() bool { return l.low["ran"] < 90 && l.known["ran"] > 98 })

	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the drain took %v", took)
	}
}
