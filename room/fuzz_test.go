package room_test

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// fuzzed is a game with a handler for every sort of payload.
type fuzzed struct {
	room *room.Room
	left []uint32
}

type fuzzPayload struct {
	Name  string
	X, Y  float32
	Tags  []string
	Bag   map[string]int8
	Inner *fuzzPayload
	Raw   []byte
	Any   any
}

func (g *fuzzed) Join(*room.Client) error { return nil }
func (g *fuzzed) Leave(c *room.Client)    { g.left = append(g.left, c.ID()) }

// fuzzLink notes why it ended.
type fuzzLink struct {
	silent
	failed, left *codec.Error
}

func (l *fuzzLink) Fail(why *codec.Error)           { l.failed = why }
func (l *fuzzLink) Left(_ uint32, why *codec.Error) { l.left = why }

// FuzzReceive gives a room whatever passes the reader. Only the sender may suffer, and only for what it sent.
func FuzzReceive(f *testing.F) {
	add := func(event byte, payload any) {
		b, _ := codec.Marshal(payload)
		f.Add(append([]byte{0x95, 0, 0, 1, 0, 0x91, 0x92, event}, b...))
		f.Add(append(append([]byte{0x95, 0, 0, 1, 0, 0x91, 0x93, event}, b...), 1))
	}
	for event := range byte(8) {
		add(event, 7)
		add(event, "text")
		add(event, []int{1, 2})
		add(event, fuzzPayload{Name: "x", Inner: &fuzzPayload{}, Any: []any{1, "a"}})
		add(event, map[string]any{"Name": 1})
	}
	f.Add([]byte{0x95, 0, 0, 1, 0, 0x91, 0x93, 0xff, 0xc0, 1})
	f.Add([]byte{0x95, 0, 0, 1, 0, 0x91, 0x93, 0xfe, 0xa1, 'x', 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		r := codec.NewReader(frame, codec.ClientLimits)
		kind, n, err := r.Frame()
		if err != nil || kind != codec.FrameVolley {
			return
		}
		v, err := r.ClientVolley(n)
		if err != nil {
			return
		}
		packets, err := r.Packets(n, nil)
		if err != nil {
			return
		}
		for _, rate := range []int{0, 20} {
			fuzzReceive(t, rate, v, packets)
		}
	})
}

type fuzzedTicker struct{ *fuzzed }

func (fuzzedTicker) Tick(tick.Tick) {}

// fuzzKind is a kind of fuzzed games, of which make makes the struct that has a rate or has none.
func fuzzKind[G room.Game](rate int, wrap func(*fuzzed) G, made **fuzzed) *room.Kind[G] {
	k := room.Define("fuzz", func(r *room.Room) G {
		*made = &fuzzed{room: r}
		return wrap(*made)
	}, room.Config{Rate: rate})
	echo := func(c *room.Client, v any) { room.Emit(c.Room(), room.Event[any]("echo"), v) }
	room.On(k, "a", func(_ G, c *room.Client, v int8) { echo(c, v) })
	room.On(k, "b", func(_ G, c *room.Client, v string) { echo(c, v) })
	room.On(k, "c", func(_ G, c *room.Client, v []uint16) { echo(c, v) })
	room.On(k, "d", func(_ G, c *room.Client, v fuzzPayload) { echo(c, v) })
	room.On(k, "e", func(_ G, c *room.Client, v *fuzzPayload) { echo(c, v) })
	room.On(k, "f", func(_ G, c *room.Client, v any) { echo(c, v) })
	room.Handle(k, "g", func(_ G, _ *room.Client, v fuzzPayload) (fuzzPayload, error) { return v, nil })
	room.Handle(k, "h", func(_ G, _ *room.Client, v map[string]float64) (any, error) { return v, errors.New("h") })
	return k
}

func fuzzReceive(t *testing.T, rate int, v codec.Volley, packets []codec.Packet) {
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	var game *fuzzed
	var kind room.AnyKind
	if rate > 0 {
		kind = fuzzKind(rate, func(g *fuzzed) fuzzedTicker { return fuzzedTicker{g} }, &game)
	} else {
		kind = fuzzKind(rate, func(g *fuzzed) *fuzzed { return g }, &game)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := room.NewHost(room.HostConfig{Scheduler: sched, Logger: quiet}, kind)
	bad, good := &fuzzLink{}, &fuzzLink{}
	var clients []*room.Client
	for _, l := range []room.Link{bad, good} {
		c, refused := h.Join(room.JoinRequest{Name: "fuzz", Link: l})
		if refused != nil {
			t.Fatal(refused)
		}
		clients = append(clients, c)
	}
	sched.RunDue(second)
	clients[0].Room().Post(func() {
		room.Ask(clients[0], room.Call[int, fuzzPayload]("ask"), 1, 0, func(fuzzPayload, error) {})
	})
	sched.RunDue(2 * second)
	err := clients[0].Receive(v.Seq, v.Tick, packets)
	var why *codec.Error
	if err != nil && (!errors.As(err, &why) || v.Seq == 1 && why.Code != codec.InboxFull) {
		t.Fatalf("receive: %v", err)
	}
	sched.RunDue(3 * second)
	if s := h.Stats(); s.Failed > 0 {
		t.Fatal("the room failed")
	}
	if good.failed != nil || good.left != nil {
		t.Fatalf("another client suffered: %v, %v", good.failed, good.left)
	}
	if bad.failed != nil && (bad.failed.Code != codec.BadPayload || bad.left == nil || len(game.left) != 1) {
		t.Fatalf("failed with %v, left with %v", bad.failed, bad.left)
	}
}
