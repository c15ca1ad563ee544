package client

import (
	"errors"
	"testing"

	"github.com/volley-go/volley/codec"
)

// TestRequestsFail: the ways in which a request gets no reply.
func TestRequestsFail(t *testing.T) {
	url := serve(t, "ws", func(p *peer) {
		p.hello(welcome())
		p.admit()
		ask := func() uint64 { return uint64(p.wantVolley().packets[0].ID) }
		p.send(volleyTo(0, 101, 0, codec.AppendFailure(nil, "not now", uint32(ask()))))
		v := p.wantVolley()
		p.send(codec.AppendNotice(nil, 0, codec.UnknownEvent, "no handler", v.Seq), codec.AppendNotice(nil, 0, codec.UnknownEvent, "", 999))
		p.send(volleyTo(0, 101, 0, replyPacket("text", ask())))
		ask()
		p.send(codec.AppendLeft(nil, 0, codec.Kicked, "rude"))
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	var notices []uint64
	r, err := c.Join(ctx, "pong", nil, func(r *Room) {
		r.OnNotice(func(_ codec.Code, _ string, seq uint64) { notices = append(notices, seq) })
	})
	check(t, err)
	_, err = Request(ctx, r, double, 1)
	var remote RemoteError
	equal(t, "remote", errors.As(err, &remote) && remote == "not now", true)
	_, err = Request(ctx, r, double, 1)
	equal(t, "dropped", code(err), codec.UnknownEvent)
	_, err = Request(ctx, r, double, 1)
	equal(t, "misfit", code(err), codec.BadPayload)
	_, err = Request(ctx, r, double, 1)
	equal(t, "kicked", code(err), codec.Kicked)
	equal(t, "kicked", errors.Is(err, ErrNotJoined), true)
	<-r.Done()
	equal(t, "notices", len(notices), 2)
	check(t, c.Err())
}

// TestTooManyRequests: the server's bound is kept here.
func TestTooManyRequests(t *testing.T) {
	url := serve(t, "tcp", func(p *peer) {
		p.hello(welcome())
		p.admit()
		var ids []uint64
		for range welcome().Requests {
			ids = append(ids, uint64(p.wantVolley().packets[0].ID))
		}
		for i, id := range ids {
			equal(t, "id", id, uint64(i+1))
			p.send(volleyTo(0, 101, 1, replyPacket(i, id), replyPacket(i, id))) // the second is passed over
		}
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	r, err := c.Join(ctx, "pong", nil)
	check(t, err)
	replies := make(chan int, 10)
	for range welcome().Requests {
		check(t, Ask(r, double, 1, func(i int, err error) {
			check(t, err)
			replies <- i
		}))
	}
	// They may have been answered by now; fill up until one is refused, which the silent server makes certain.
	for want := range welcome().Requests {
		equal(t, "reply", <-replies, want)
	}
	for range welcome().Requests {
		check(t, Ask(r, double, 1, func(int, error) {}))
	}
	_, err = Request(ctx, r, double, 1)
	equal(t, "refused", code(err), codec.TooManyRequests)
	err = Ask(r, double, 1, func(int, error) { t.Error("done of a request that was not sent") })
	equal(t, "refused", code(err), codec.TooManyRequests)
}

// TestHandlers: what a handler returns, its error, a request that does not fit, and a reply that cannot be sent.
func TestHandlers(t *testing.T) {
	w := welcome()
	w.Limits.Frame = 200
	replies := make(chan string, 8)
	url := serve(t, "ws", func(p *peer) {
		p.hello(w)
		p.admit(volleyTo(0, 101, 0, requestPacket(iGreet, "Ann", 1), requestPacket(iGreet, "nobody", 2),
			requestPacket(iGreet, 5, 3), requestPacket(iGreet, "long", 4)))
		for i := range 4 {
			p1 := p.wantVolley().packets[0]
			equal(t, "id", p1.ID, uint32(i+1))
			var text string
			check(t, codec.Unmarshal(p1.Payload, &text))
			replies <- text
		}
		p.end()
	})
	c := dialT(t, url, Config{})
	_, err := c.Join(testContext(t), "pong", nil, func(r *Room) {
		Handle(r, greet, func(name string) (string, error) {
			switch name {
			case "nobody":
				return "", errors.New("who\xff?")
			case "long":
				return string(repeat('x', 1000)), nil
			}
			return "hello " + name, nil
		})
		defer func() {
			if recover() == nil {
				t.Error("two handlers for one name")
			}
		}()
		Handle(r, greet, func(string) (string, error) { return "", nil })
	})
	check(t, err)
	equal(t, "reply", <-replies, "hello Ann")
	equal(t, "error", <-replies, "who\uFFFD?")
	equal(t, "misfit", <-replies, "bad-payload: a number where a string is wanted")
	equal(t, "too big", <-replies, "client: greet: too-big: a packet of 1005 bytes; the server takes 161")
}
