package client

import (
	"context"
	"errors"
	"testing"

	"github.com/volley-go/volley/codec"
)

// TestConversation is the page's conversation and more, over both transports.
func TestConversation(t *testing.T) {
	for _, scheme := range []string{"ws", "tcp"} {
		t.Run(scheme, func(t *testing.T) {
			url := serve(t, scheme, func(p *peer) {
				h := p.hello(welcome())
				var token string
				check(t, codec.Unmarshal(h.Auth, &token))
				equal(t, "auth", token, "t0k3n")

				// The first events stand right behind JOINED.
				j := p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "hi"), eventPacket(iState, Scene{Ball: [2]float32{3, 4}})))
				equal(t, "how", j.How, codec.JoinOrCreate)
				equal(t, "kind", j.Name, "pong")
				var opts map[string]string
				check(t, codec.Unmarshal(j.Options, &opts))
				equal(t, "options", opts["Name"], "Ann")

				v := p.wantVolley()
				equal(t, "seq", v.Seq, 1)
				equal(t, "tick", v.Tick, 101)
				equal(t, "index", v.packets[0].Index, iMove)
				v = p.wantVolley()
				equal(t, "seq", v.Seq, 2)
				equal(t, "name", string(v.packets[0].Name), "rare")

				v = p.wantVolley() // request
				equal(t, "kind", v.packets[0].Kind, codec.Request)
				// Handled before the reply wakes the other side's goroutine.
				p.send(volleyTo(0, 103, 3, requestPacket(iGreet, "Bob", 9), requestPacket(iDouble, 1, 10),
					replyPacket(42, uint64(v.packets[0].ID))))
				v = p.wantVolley()
				equal(t, "reply", v.packets[0].Kind, codec.Reply)
				equal(t, "reply id", v.packets[0].ID, 9)
				equal(t, "reply", string(v.packets[0].Payload[1:]), "hello Bob")
				v = p.wantVolley()
				equal(t, "failure", v.packets[0].Kind, codec.Failure)
				equal(t, "failure", string(v.packets[0].Payload[1:]), "no handler")

				r, n := p.want(codec.FramePing)
				mine, _ := r.Stamp(n)
				p.send(codec.AppendPing(nil, 77))
				r, n = p.want(codec.FramePong)
				stamp, _ := r.Stamp(n)
				equal(t, "stamp", stamp, 77)
				p.send(codec.AppendPong(nil, 999), codec.AppendPong(nil, mine))

				p.want(codec.FrameLeave)
				p.send(volleyTo(0, 104, 5, eventPacket(iSaid, "last")), codec.AppendLeft(nil, 0, codec.Left, "bye"))
				p.end()
			})
			c := dialT(t, url, Config{Auth: "t0k3n"})
			equal(t, "session", c.Session(), "s1")
			ctx := testContext(t)

			var states *Inbox[Scene]
			var texts *Inbox[string]
			var left codec.Code
			r, err := c.JoinOrCreate(ctx, "pong", map[string]string{"Name": "Ann"}, func(r *Room) {
				equal(t, "early emit", errors.Is(Emit(r, move, Move{}), ErrNotJoined), true)
				states, texts = Collect(r, state), Collect(r, said)
				Handle(r, greet, func(name string) (string, error) { return "hello " + name, nil })
				r.OnLeft(func(code codec.Code, _ string) { left = code })
			})
			check(t, err)
			equal(t, "id", r.ID(), "r1")
			equal(t, "kind", r.Kind(), "pong")
			equal(t, "client", r.ClientID(), 7)
			equal(t, "rate", r.Rate(), 60)
			got, err := states.Wait(ctx, 1)
			check(t, err)
			equal(t, "state", got[0], Scene{Ball: [2]float32{3, 4}})
			equal(t, "tick", r.Tick(), 101)

			check(t, Emit(r, move, Move{DY: 1}))
			check(t, Emit(r, rare, 5))
			equal(t, "seq", r.Seq(), 2)
			resp, err := Request(ctx, r, double, 21)
			check(t, err)
			equal(t, "response", resp, 42)
			equal(t, "ack", r.Ack(), 3)
			rtt, err := c.Ping(ctx)
			check(t, err)
			equal(t, "rtt", rtt > 0, true)
			check(t, r.Leave(ctx))
			equal(t, "left", left, codec.Left)
			equal(t, "left", code(r.Err()), codec.Left)
			equal(t, "texts", len(texts.All()), 2)
			equal(t, "emit after", errors.Is(Emit(r, move, Move{}), ErrNotJoined), true)
			check(t, r.Leave(ctx))
			check(t, c.Err())
		})
	}
}

// TestJoins: how each form of join reads, and its refusal.
func TestJoins(t *testing.T) {
	url := serve(t, "ws", func(p *peer) {
		p.hello(welcome())
		for want := codec.How(1); want <= 3; want++ {
			r, n := p.want(codec.FrameJoin)
			j, err := r.Join(n)
			check(t, err)
			equal(t, "how", j.How, want)
			equal(t, "options", len(j.Options), 1)
			p.send(codec.AppendLeft(nil, j.Channel, codec.RoomFull, "no seat"))
		}
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	type join = func(context.Context, string, any, ...func(*Room)) (*Room, error)
	for i, f := range []join{c.Create, c.Join, c.JoinByID} {
		_, err := f(ctx, "pong", nil)
		var refused *LeftError
		if !errors.As(err, &refused) || refused.Code != codec.RoomFull || code(err) != codec.RoomFull {
			t.Errorf("join %d: %v", i, err)
		}
	}
}
