package room_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hall is a game that does what its clients ask for, to test the room around it.
type hall struct {
	room    *room.Room
	ticks   int
	joins   []uint32
	leaves  []uint32
	closed  bool
	onJoin  func(c *room.Client) error
	onTick  func(t tick.Tick)
	onLeave func(c *room.Client)
	onSay   func(c *room.Client, text string)
}

const (
	say     room.Event[string] = "say"
	said    room.Event[string] = "said"
	welcome room.Event[uint32] = "welcome"
	state   room.Event[int]    = "state"
)

func (h *hall) Join(c *room.Client) error {
	h.joins = append(h.joins, c.ID())
	if h.onJoin != nil {
		return h.onJoin(c)
	}
	return nil
}

func (h *hall) Leave(c *room.Client) {
	h.leaves = append(h.leaves, c.ID())
	if h.onLeave != nil {
		h.onLeave(c)
	}
}

func (h *hall) Say(c *room.Client, text string) {
	if h.onSay != nil {
		h.onSay(c, text)
		return
	}
	room.Emit(h.room, said, fmt.Sprintf("%d: %s", c.ID(), text))
}

func (h *hall) Close() { h.closed = true }

// ticking is a hall with a rate.
type ticking struct{ *hall }

func (g ticking) Tick(t tick.Tick) {
	g.ticks++
	if g.onTick != nil {
		g.onTick(t)
	}
}

// set is a bed with one kind of hall, and the halls that it has made.
type set struct {
	*roomtest.Bed
	halls []*hall
}

func newSet(t *testing.T, cfg room.Config, prepare func(h *hall)) *set {
	t.Helper()
	s := &set{}
	make := func(r *room.Room) *hall {
		h := &hall{room: r}
		if prepare != nil {
			prepare(h)
		}
		s.halls = append(s.halls, h)
		return h
	}
	var kind room.AnyKind
	if cfg.Rate > 0 {
		k := room.Define("hall", func(r *room.Room) ticking { return ticking{make(r)} }, cfg)
		room.On(k, say, func(g ticking, c *room.Client, text string) { g.Say(c, text) })
		kind = k
	} else {
		k := room.Define("hall", make, cfg)
		room.On(k, say, (*hall).Say)
		kind = k
	}
	s.Bed = newBed(t, kind)
	return s
}

// newBed is a bed whose rooms may fail: that is what many of these tests are about.
func newBed(tb testing.TB, kinds ...room.AnyKind) *roomtest.Bed {
	tb.Helper()
	bed := roomtest.New(tb, kinds...)
	bed.AllowPanics()
	return bed
}

// modes runs a test with an event-driven room and with a ticking one.
func modes(t *testing.T, test func(t *testing.T, rate int)) {
	for _, rate := range []int{0, 20} {
		t.Run(fmt.Sprintf("rate %d", rate), func(t *testing.T) { test(t, rate) })
	}
}

const second = time.Second

func TestJoinEmitLeave(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) {
			h.onJoin = func(c *room.Client) error {
				room.Emit(c, welcome, c.ID())
				room.Emit(c.Others(), said, fmt.Sprintf("%d is here", c.ID()))
				return nil
			}
		})
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		require.Len(t, s.halls, 1, "both are in one room")
		ann.Emit("say", "hi")
		s.Run(second)
		bob.Leave()
		s.Run(second)
		ann.Emit("say", "alone")
		s.Run(second)

		assert.Equal(t, uint32(1), roomtest.Last[uint32](ann, "welcome"))
		assert.Equal(t, uint32(2), roomtest.Last[uint32](bob, "welcome"))
		assert.Equal(t, []string{"2 is here", "1: hi", "1: alone"}, roomtest.All[string](ann, "said"))
		assert.Equal(t, []string{"1: hi"}, roomtest.All[string](bob, "said"))
		assert.Equal(t, codec.Left, bob.Left.Code)
		ann.Leave()
		s.Run(second)
		assert.Equal(t, []uint32{2, 1}, s.halls[0].leaves)
		assert.True(t, s.halls[0].closed, "an empty room closes")
		assert.Zero(t, s.Host.Stats().Rooms)
	})
}

func TestOneFramePerTick(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, func(h *hall) {
		h.onTick = func(tk tick.Tick) {
			room.Emit(h.room, state, int(tk.N))
			room.Emit(h.room, state, int(tk.N)+1000)
		}
	})
	ann, bob := s.Join("hall", nil), s.Join("hall", nil)
	ann.Forget()
	bob.Forget()
	for range 10 {
		ann.Emit("say", "x")
		bob.Emit("say", "y")
		s.Run(second / 20)
	}
	for _, p := range []*roomtest.Player{ann, bob} {
		require.Len(t, p.Frames, 10)
		for i, f := range p.Frames {
			assert.Len(t, f.Packets, 4)
			assert.Equal(t, uint64(i+1), f.Ack)
			assert.Equal(t, p.Frames[0].Tick+uint64(i), f.Tick)
		}
	}
}

func TestSlowClientGetsOneMergedFrame(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) {
			h.onSay = func(c *room.Client, text string) {
				room.Emit(h.room, said, text)
				room.EmitLatest(h.room, state, 7, len(text))
				room.EmitLatest(c, state, 8, 100+len(text))
			}
		})
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		bob.Stall(100)
		want := []string{}
		for i := range 5 {
			text := fmt.Sprint("m", i*10)
			want = append(want, text)
			ann.Emit("say", text)
			s.Run(second)
		}
		assert.Empty(t, bob.Frames)
		bob.Stall(0)
		s.Run(second)
		require.Len(t, bob.Frames, 1, "the gap is one frame")
		assert.Equal(t, want, roomtest.All[string](bob, "said"))
		assert.Equal(t, []int{3}, roomtest.All[int](bob, "state"), "of latest-wins events, only the newest")
		assert.Len(t, roomtest.All[int](ann, "state"), 10)
	})
}

func TestClientThatFallsOffTheLogIsClosed(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate, Log: 1000}, nil)
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		bob.Stall(1)
		for range 30 {
			ann.Emit("say", string(make([]byte, 100)))
			s.Run(second / 5)
		}
		require.NotNil(t, bob.Failed)
		assert.Equal(t, codec.SlowConsumer, bob.Failed.Code)
		assert.Len(t, roomtest.All[string](ann, "said"), 30, "nobody else is disturbed")
	})
}

func TestLatestWithinATick(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, func(h *hall) {
		h.onSay = func(c *room.Client, text string) {
			room.EmitLatest(h.room, state, 1, 1)
			room.EmitLatest(c, state, 2, 2)
			room.Emit(h.room, said, text)
			room.EmitLatest(h.room, state, 1, 10)
			room.EmitLatest(c.Others(), state, 1, 11)
		}
	})
	ann, bob := s.Join("hall", nil), s.Join("hall", nil)
	ann.Emit("say", "x")
	s.Run(second)
	assert.Equal(t, []int{2, 10}, roomtest.All[int](ann, "state"))
	assert.Equal(t, []int{11}, roomtest.All[int](bob, "state"), "the newest that bob can hear, whatever its scope")
}

func TestCapacity(t *testing.T) {
	s := newSet(t, room.Config{Capacity: 2}, nil)
	players := []*roomtest.Player{}
	for range 5 {
		players = append(players, s.Join("hall", nil))
	}
	assert.Len(t, s.halls, 3)
	full := s.TryJoin(codec.JoinByID, players[0].Client.Room().ID(), nil, nil)
	require.NotNil(t, full.Left)
	assert.Equal(t, codec.RoomFull, full.Left.Code)
	players[0].Leave()
	s.Settle()
	again := s.TryJoin(codec.JoinByID, players[1].Client.Room().ID(), nil, nil)
	assert.True(t, again.Joined)
}

func TestJoinForms(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	code := func(how codec.How, name string) codec.Code {
		p := s.TryJoin(how, name, nil, nil)
		if p.Left != nil {
			return p.Left.Code
		}
		return 0
	}
	assert.Equal(t, codec.NoSuchKind, code(codec.JoinOrCreate, "nothing"))
	assert.Equal(t, codec.NoSuchRoom, code(codec.Join, "hall"))
	assert.Equal(t, codec.NoSuchRoom, code(codec.JoinByID, "hall"))
	assert.Zero(t, code(codec.Create, "hall"))
	assert.Zero(t, code(codec.Create, "hall"))
	assert.Len(t, s.halls, 2)
	assert.Zero(t, code(codec.Join, "hall"))
	for _, h := range s.halls {
		h.room.Lock()
	}
	assert.Equal(t, codec.NoSuchRoom, code(codec.Join, "hall"))
	assert.Equal(t, codec.RoomLocked, code(codec.JoinByID, s.halls[0].room.ID()))
	s.halls[0].room.Unlock()
	s.halls[0].room.SetPrivate(true)
	assert.Equal(t, codec.NoSuchRoom, code(codec.Join, "hall"), "a private room is found by its id alone")
	assert.Zero(t, code(codec.JoinByID, s.halls[0].room.ID()))
}

func TestRefusal(t *testing.T) {
	s := newSet(t, room.Config{}, func(h *hall) {
		h.onJoin = func(c *room.Client) error {
			room.Emit(c, welcome, 1)
			type options struct{ Name string }
			o, err := room.Options[options](c)
			if err != nil {
				return err
			}
			if o.Name == "eve" {
				return errors.New("no eves")
			}
			return nil
		}
	})
	eve := s.TryJoin(codec.JoinOrCreate, "hall", map[string]any{"Name": "eve"}, nil)
	require.NotNil(t, eve.Left)
	assert.Equal(t, "join-refused: no eves", eve.Left.Error())
	assert.Empty(t, eve.Frames)
	assert.Zero(t, s.Host.Stats().Rooms, "a room nobody got into closes")
	bad := s.TryJoin(codec.JoinOrCreate, "hall", map[string]any{"Name": 3}, nil)
	require.NotNil(t, bad.Left)
	assert.Equal(t, codec.BadPayload, bad.Left.Code)
	assert.Contains(t, bad.Left.Reason, "Name")
	assert.True(t, s.TryJoin(codec.JoinOrCreate, "hall", map[string]any{"Name": "ann"}, nil).Joined)
}

func TestPanicEndsThatRoomOnly(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate, Capacity: 2}, func(h *hall) {
			h.onSay = func(c *room.Client, text string) {
				if text == "boom" {
					panic("boom")
				}
				room.Emit(h.room, said, text)
			}
		})
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		cat := s.Join("hall", nil)
		ann.Emit("say", "boom")
		s.Run(second)
		require.NotNil(t, ann.Left)
		require.NotNil(t, bob.Left)
		assert.Equal(t, codec.RoomFailed, ann.Left.Code)
		assert.Equal(t, codec.RoomFailed, bob.Left.Code)
		assert.Nil(t, cat.Left)
		cat.Emit("say", "still here")
		s.Run(second)
		assert.Equal(t, "still here", roomtest.Last[string](cat, "said"))
		assert.Equal(t, room.HostStats{Rooms: 1, Failed: 1}, s.Host.Stats())
	})
}

func TestKickAndClose(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) {
			h.onSay = func(c *room.Client, text string) {
				switch text {
				case "kick me":
					room.Emit(h.room, said, "goodbye")
					c.Kick("as you wish")
				case "close":
					h.room.Close("enough")
					room.Emit(h.room, said, "the end")
				}
			}
		})
		ann, bob := s.Join("hall", nil), s.Join("hall", nil)
		ann.Emit("say", "kick me")
		s.Run(second)
		assert.Equal(t, "goodbye", roomtest.Last[string](ann, "said"), "what was emitted before still comes")
		require.NotNil(t, ann.Left)
		assert.Equal(t, "kicked: as you wish", ann.Left.Error())
		bob.Emit("say", "close")
		s.Run(second)
		assert.Equal(t, "the end", roomtest.Last[string](bob, "said"))
		require.NotNil(t, bob.Left)
		assert.Equal(t, "room-closed: enough", bob.Left.Error())
		assert.True(t, s.halls[0].closed)
		assert.Equal(t, []uint32{1, 2}, s.halls[0].leaves)
	})
}

func TestUnknownEventIsDroppedWithAWord(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann := s.Join("hall", nil)
	ann.Emit("nothing", 1)
	id := ann.Request("nothing", 1)
	ann.Emit("say", "on we go")
	s.Settle()
	require.Len(t, ann.Drops, 1)
	assert.Equal(t, codec.UnknownEvent, ann.Drops[0].Code)
	_, err := roomtest.Reply[int](ann, id)
	assert.EqualError(t, err, "no handler")
	assert.Equal(t, "1: on we go", roomtest.Last[string](ann, "said"))
	assert.Nil(t, ann.Failed)
}

func TestPayloadThatDoesNotFitClosesTheConnection(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann, bob := s.Join("hall", nil), s.Join("hall", nil)
	ann.Emit("say", 5)
	bob.Emit("say", "hi")
	s.Settle()
	require.NotNil(t, ann.Failed)
	assert.Equal(t, "bad-payload: event say: a number where a string is wanted", ann.Failed.Error())
	assert.Equal(t, "2: hi", roomtest.Last[string](bob, "said"))
}

func TestSequenceNumbers(t *testing.T) {
	s := newSet(t, room.Config{}, nil)
	ann := s.Join("hall", nil)
	packet := func(text string) []codec.Packet {
		b, err := codec.Marshal(text)
		require.NoError(t, err)
		return []codec.Packet{{Index: codec.NoIndex, Name: []byte("say"), Payload: b}}
	}
	c := ann.Client
	require.NoError(t, c.Receive(1, 0, packet("one")))
	require.NoError(t, c.Receive(2, 0, packet("two")))
	require.NoError(t, c.Receive(2, 0, packet("two again")))
	require.NoError(t, c.Receive(1, 0, append(append(packet("one"), packet("two")...), packet("three")...)))
	var gap *codec.Error
	require.ErrorAs(t, c.Receive(5, 0, packet("five")), &gap)
	assert.Equal(t, codec.BadSequence, gap.Code)
	s.Settle()
	assert.Equal(t, []string{"1: one", "1: two", "1: three"}, roomtest.All[string](ann, "said"))
	assert.Equal(t, uint64(3), ann.Frames[len(ann.Frames)-1].Ack)
}

func TestAcknowledgementWithoutOutput(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, func(h *hall) { h.onSay = func(*room.Client, string) {} })
		ann := s.Join("hall", nil)
		for round := range 3 {
			ann.Forget()
			ann.Emit("say", "x")
			ann.Emit("say", "y")
			s.Run(2 * second)
			require.Len(t, ann.Frames, 1)
			assert.Empty(t, ann.Frames[0].Packets)
			assert.Equal(t, uint64(2*round+2), ann.Frames[0].Ack)
		}
	})
}
