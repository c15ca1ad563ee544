package room_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
)

// newWorld makes three rooms of a kind with that rate.
func newWorld(t *testing.T, seed uint64, rate, limit int) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, uint64(rate))), limit: limit}
	w.rate, w.sync = rate, seed%3 == 2
	cfg := room.Config{Rate: rate, EmptyFor: -1, Log: limit, Grace: modelGrace}
	if w.sync && seed%2 == 0 {
		cfg.Behind = room.ResyncBehind // what it is anyway
	}
	make := func(r *room.Room) *modelGame {
		g := &modelGame{w: w, room: r, rng: rand.New(rand.NewPCG(seed, uint64(len(w.rooms))))}
		w.rooms = append(w.rooms, g)
		return g
	}
	var create func(any) (*room.Room, error)
	switch {
	case rate > 0 && w.sync:
		create = defineModel(w, func(r *room.Room) modelSyncTicker { return modelSyncTicker{modelTicker{make(r)}} }, cfg)
	case rate > 0:
		create = defineModel(w, func(r *room.Room) modelTicker { return modelTicker{make(r)} }, cfg)
	case w.sync:
		create = defineModel(w, func(r *room.Room) modelSync { return modelSync{make(r)} }, cfg)
	default:
		create = defineModel(w, make, cfg)
	}
	for range 3 {
		_, err := create(nil)
		require.NoError(t, err)
	}
	w.Run(time.Second)
	return w
}

// defineModel makes the world's kind, and returns how rooms of it are made.
func defineModel[G interface {
	room.Game
	input(c *room.Client, n int)
}](w *world, make func(*room.Room) G, cfg room.Config) func(any) (*room.Room, error) {
	k := room.Define("model", make, cfg)
	room.On(k, room.Event[int]("act"), func(g G, c *room.Client, n int) { g.input(c, n) })
	w.kind, w.Bed = k, roomtest.New(w.t, k)
	return k.Create
}

// round does some random things from outside, and lets one tick pass.
func (w *world) round() {
	for _, g := range w.rooms {
		g.before = g.bytes
	}
	going := slices.ContainsFunc(w.all, func(m *modelClient) bool {
		return !m.leaving && (m.failed != nil || m.behind() > w.limit || m.fresh > m.at.tick)
	})
	if !going && w.rng.IntN(4) == 0 { // first, so that its place among the other things is known
		var to room.Audience = w.Host
		if w.rate == 0 && w.rng.IntN(2) == 0 {
			to = w.kind
		}
		w.broadcast(to)
	}
	for range w.rng.IntN(6) {
		g := w.rooms[w.rng.IntN(len(w.rooms))]
		switch w.rng.IntN(17) {
		case 0, 1:
			g.room.Post(func() { g.check(); g.act(4) })
		case 2, 3:
			w.join(g)
		case 4:
			if m := w.some(); m != nil {
				m.going = true
				m.c.Leave(nil)
			}
		case 5:
			if m := w.some(); m != nil && !m.cut {
				m.stalled = true
			}
		case 6:
			if m := w.some(); m != nil && m.stalled {
				m.stalled, m.readyFor = false, 0
				m.c.Drained()
			}
		case 7:
			if m := w.some(); m != nil && !m.cut {
				m.sendPacket()
			}
		case 8, 9:
			if m := w.some(); m != nil && !m.cut && m.failed == nil {
				m.cutOff()
			}
		case 10, 11:
			if m := w.some(); m != nil && m.cut {
				m.comeBack()
			}
		case 12:
			if m := w.some(); m != nil && !m.cut && m.failed == nil && w.rng.IntN(2) == 0 {
				m.comeBack()
			}
		default:
			if m := w.some(); m != nil && !m.cut && m.joined && !m.asked {
				m.acknowledge()
			}
		}
	}
	w.Run(50 * time.Millisecond)
	w.verify()
}

func (w *world) broadcast(to room.Audience) {
	w.value++
	h := heard{value: 256 + w.value, event: "all"}
	room.Emit(to, room.Event[int](h.event), h.value)
	for _, g := range w.rooms {
		h.at = g.bytes
		g.bytes += 5
		for _, m := range g.members {
			m.list = append(m.list, h)
		}
	}
}

// some returns a client that has not left.
func (w *world) some() *modelClient {
	g := w.rooms[w.rng.IntN(len(w.rooms))]
	if len(g.members) == 0 {
		return nil
	}
	return g.members[w.rng.IntN(len(g.members))]
}

func (w *world) join(g *modelGame) {
	m := &modelClient{w: w, game: g, stalled: w.rng.IntN(8) == 0}
	c, refused := w.Host.Join(room.JoinRequest{How: codec.JoinByID, Name: g.room.ID(), Link: modelLink{m, 0}, User: m})
	if refused != nil {
		w.t.Fatalf("seed %d: %v", w.seed, refused)
	}
	m.c = c
	w.all = append(w.all, m)
}

func (m *modelClient) sendPacket() {
	b, _ := codec.Marshal(m.w.rng.IntN(4))
	m.sent++
	packet := codec.Packet{Index: codec.NoIndex, Name: []byte("act"), Payload: b}
	require.NoError(m.w.t, m.c.Receive(m.sent, 0, []codec.Packet{packet}))
}

// verify checks what must hold between two ticks.
func (w *world) verify() {
	for _, m := range w.all {
		switch {
		case m.left != nil && m.c != nil:
			if slices.Contains(m.game.members, m) {
				w.fatal(m, "left, but not the game")
			}
		case m.cut:
			if m.timedOut(200 * time.Millisecond) {
				w.fatal(m, "has been away for %v and is still in", w.Now()-m.cutAt)
			}
		case m.asked && w.falls(m): // it is about to hear that it cannot go on
		case !m.joined || m.asked:
			w.fatal(m, "was not answered")
		case m.failed != nil:
			if w.rate == 0 {
				w.fatal(m, "was closed and is still in")
			}
		case w.falls(m): // it is about to begin afresh
		case !m.stalled && m.at.handed != len(m.list):
			w.fatal(m, "did not get %v", m.list[m.at.handed:])
		case m.stalled && m.at.handed < len(m.list) && w.rate > 0 && !w.sync:
			if behind := m.game.before - m.list[m.at.handed].at; behind > w.limit {
				w.fatal(m, "is %d bytes behind and not closed", behind)
			}
		}
		m.readyFor++
	}
	w.all = slices.DeleteFunc(w.all, func(m *modelClient) bool { return m.left != nil && w.rng.IntN(4) == 0 })
}

// falls reports whether the client may be off the log, and has not been ready for long enough to be dealt with: that takes a tick
// more.
func (w *world) falls(m *modelClient) bool {
	return (m.behind() > w.limit || m.fresh > m.at.tick) && (m.stalled || m.readyFor < 3)
}

func TestLogAndCursorsAgainstModel(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		for seed := range uint64(200) {
			limit := 64 << 10
			if seed%2 == 1 {
				limit = 100 + int(seed)*4
			}
			w := newWorld(t, seed, rate, limit)
			for range 80 {
				w.round()
			}
			for _, m := range w.all {
				switch {
				case m.left != nil:
				case m.cut:
					m.comeBack()
				case m.stalled:
					m.stalled = false
					m.c.Drained()
				}
			}
			w.Run(time.Second)
			w.verify()
			for _, g := range w.rooms {
				g.room.Post(func() { g.room.Close("over") })
			}
			w.Run(time.Second)
			for _, m := range w.all {
				require.NotNil(t, m.left, "%v", m)
			}
			require.Zero(t, w.Host.Stats().Rooms)
		}
	})
}
