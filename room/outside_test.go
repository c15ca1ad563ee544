package room_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// What reaches rooms from outside: posts, creation, listings, events to all rooms, floods.

func TestPostFromOtherGoroutines(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		s.Join("hall", nil)
		r := s.halls[0].room
		count := 0
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 100 {
					assert.True(t, r.Post(func() { count++ }))
				}
			})
		}
		wg.Wait()
		s.Run(second)
		assert.Equal(t, 800, count)
		do(s.Bed, r, func() { r.Close("x") })
		assert.False(t, r.Post(func() { count++ }))
		s.Run(second)
		assert.Equal(t, 800, count)
	})
}

func TestPostsAreBounded(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, nil)
	ann := s.Join("hall", nil)
	r := s.halls[0].room
	taken := 0
	for taken < 1<<20 && r.Post(func() {}) {
		taken++
	}
	assert.Equal(t, 1<<16, taken)
	ann.Emit("say", "clients are not crowded out")
	s.Run(second)
	assert.Equal(t, "1: clients are not crowded out", roomtest.Last[string](ann, "said"))
	assert.True(t, r.Post(func() {}))
}

func TestPanicInAPost(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann := s.Join("hall", nil)
		r := s.halls[0].room
		r.Post(func() { panic("posted") })
		eve := s.TryJoin(codec.JoinByID, r.ID(), nil, nil)
		assert.Equal(t, codec.RoomFailed, ann.Left.Code)
		assert.Equal(t, codec.RoomFailed, eve.Left.Code, "who waited to get in is told as well")
		assert.Equal(t, room.HostStats{Failed: 1}, s.Host.Stats())
		assert.Nil(t, s.Host.Room(r.ID()))
	})
}

func TestGoexitInACallbackEndsTheRoom(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	sched := tick.New(tick.Config{Workers: 1, Logger: logger})
	defer sched.Close()
	k := room.Define("crowd", func(r *room.Room) plain { return plain{} }, room.Config{})
	h := room.NewHost(room.HostConfig{Scheduler: sched, Logger: logger}, k)
	l := waiting{joined: make(chan struct{}), left: make(chan struct{})}
	c, refused := h.Join(room.JoinRequest{How: codec.Create, Name: "crowd", Link: l})
	require.Nil(t, refused)
	<-l.joined
	ended := &testing.T{}
	c.Room().Post(func() { ended.SkipNow() }) // it calls runtime.Goexit
	<-l.left
	require.NoError(t, h.Close(t.Context(), nil))
	assert.Equal(t, room.HostStats{Failed: 1}, h.Stats())
}

// shop is a game with options, whose opening may fail.
type shop struct {
	room *room.Room
	name string
	fail string
}

func newShop(r *room.Room) *shop {
	o, err := room.CreateOptions[struct{ Name, Fail string }](r)
	if err != nil {
		return &shop{fail: err.Error()}
	}
	if o.Fail == "panic" {
		panic("no shop")
	}
	return &shop{room: r, name: o.Name, fail: o.Fail}
}

func (s *shop) Open() error {
	switch s.fail {
	case "":
		return nil
	case "panic in Open":
		panic("half open")
	case "coded":
		return codec.Errorf(codec.Unauthorized, "who are you?")
	}
	return errors.New(s.fail)
}
func (s *shop) Join(c *room.Client) error { room.Emit(c, said, s.name); return nil }
func (s *shop) Leave(*room.Client)        {}

func TestOpenRefuses(t *testing.T) {
	bed := newBed(t, room.Define("shop", newShop, room.Config{}))
	for fail, want := range map[string]string{
		"no bread today": "join-refused: no bread today",
		"coded":          "unauthorized: who are you?",
		"panic":          "room-failed: the game had a fault",
		"panic in Open":  "room-failed: the game had a fault",
	} {
		p := bed.TryJoin(codec.JoinOrCreate, "shop", map[string]any{"Fail": fail}, nil)
		require.NotNil(t, p.Left, fail)
		assert.Equal(t, want, p.Left.Error())
		assert.False(t, p.Joined)
	}
	p := bed.TryJoin(codec.JoinOrCreate, "shop", map[string]any{"Name": 7}, nil)
	assert.Contains(t, p.Left.Reason, "Name")
	assert.Zero(t, bed.Host.Stats().Rooms)
}

func TestCreateByTheServer(t *testing.T) {
	k := room.Define("shop", newShop, room.Config{ServerCreates: true, Private: true})
	_, err := k.Create(nil)
	require.ErrorContains(t, err, "no server yet")
	bed := newBed(t, k)
	refused := bed.TryJoin(codec.JoinOrCreate, "shop", nil, nil)
	assert.Equal(t, codec.NoSuchRoom, refused.Left.Code)
	refused = bed.TryJoin(codec.Create, "shop", nil, nil)
	assert.Equal(t, codec.NoSuchRoom, refused.Left.Code)

	r, err := k.Create(map[string]any{"Name": "bakery"})
	require.NoError(t, err)
	bed.Run(time.Hour)
	assert.Same(t, r, bed.Host.Room(r.ID()), "it waits for its first client")
	refused = bed.TryJoin(codec.JoinOrCreate, "shop", nil, nil)
	assert.Equal(t, codec.NoSuchRoom, refused.Left.Code, "it is private")
	ann := bed.TryJoin(codec.JoinByID, r.ID(), nil, "the user")
	require.True(t, ann.Joined)
	assert.Equal(t, "bakery", roomtest.Last[string](ann, "said"))
	assert.Equal(t, "the user", ann.Client.User())
	r.SetPrivate(false)
	r.SetMetadata("fresh bread")
	assert.Equal(t, []room.Info{{ID: r.ID(), Kind: "shop", Clients: 1, Metadata: "fresh bread"}}, k.Rooms())
	bob := bed.TryJoin(codec.JoinOrCreate, "shop", nil, nil)
	assert.True(t, bob.Joined, "it is open now")
	r.Lock()
	assert.True(t, k.Rooms()[0].Locked)
	ann.Leave()
	bob.Leave()
	bed.Run(second)
	assert.Empty(t, k.Rooms())

	_, err = k.Create(make(chan int))
	assert.ErrorContains(t, err, "create shop")
	_, err = k.Create(map[string]any{"Fail": "no"})
	require.NoError(t, err)
	bed.Run(second)
	assert.Zero(t, bed.Host.Stats().Rooms)
}

func TestMaxRooms(t *testing.T) {
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	k := room.Define("k", newPlain, room.Config{})
	h := room.NewHost(room.HostConfig{Scheduler: sched, MaxRooms: 2}, k)
	create := func() (*room.Client, *codec.Error) {
		return h.Join(room.JoinRequest{How: codec.Create, Name: "k", Link: silent{}})
	}
	c, refused := create()
	require.Nil(t, refused)
	_, err := k.Create(nil)
	require.NoError(t, err)
	_, refused = create()
	require.NotNil(t, refused)
	assert.Equal(t, codec.TooManyRooms, refused.Code)
	_, err = k.Create(nil)
	assert.Error(t, err)
	c.Leave(nil)
	sched.RunDue(0)
	_, refused = create()
	assert.Nil(t, refused)
}

// silent is a link that does nothing.
type silent struct{}

func (silent) Send([]byte, int) error               { return nil }
func (silent) Pending() int                         { return 0 }
func (silent) Joined(*room.Client, uint64)          {}
func (silent) Left(uint32, *codec.Error)            {}
func (silent) Dropped(uint32, uint64, *codec.Error) {}
func (silent) Fail(*codec.Error)                    {}
func (silent) Resumed(uint32, uint64)               {}
func (silent) Resync(uint32, uint64)                {}

func TestLockFromAnyGoroutine(t *testing.T) {
	s := newSet(t, room.Config{EmptyFor: -1}, nil)
	s.Join("hall", nil)
	r := s.halls[0].room
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				r.Lock()
				r.SetMetadata(1)
				r.Unlock()
				r.SetPrivate(true)
				r.SetPrivate(false)
			}
		})
	}
	wg.Wait()
	s.Join("hall", nil)
	assert.Len(t, s.halls, 1)
}

func TestEventsToEveryRoom(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate, Capacity: 2}, nil)
		players := []*roomtest.Player{}
		for range 6 {
			players = append(players, s.Join("hall", nil))
		}
		require.Len(t, s.halls, 3)
		room.Emit(s.Host, said, "to all")
		room.EmitLatest(s.Host, state, 1, 1)
		room.EmitLatest(s.Host, state, 1, 2)
		s.Run(second)
		for _, p := range players {
			assert.Equal(t, []string{"to all"}, roomtest.All[string](p, "said"))
			assert.Equal(t, []int{2}, roomtest.All[int](p, "state"))
		}
	})
}

func TestEventsToEveryRoomAreBounded(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20}, nil)
	ann := s.Join("hall", nil)
	large := string(make([]byte, 1<<20))
	for range 6 {
		room.Emit(s.Host, said, large)
	}
	s.Run(second)
	assert.Nil(t, ann.Left)
	assert.Len(t, roomtest.All[string](ann, "said"), 3)
	assert.Equal(t, uint64(3), s.Host.Stats().Lost)
}

func packetOf(event string, v any) []codec.Packet {
	b, err := codec.Marshal(v)
	if err != nil {
		panic(err)
	}
	return []codec.Packet{{Index: codec.NoIndex, Name: []byte(event), Payload: b}}
}

func TestFloodCostsTheFlooderAlone(t *testing.T) {
	s := newSet(t, room.Config{Rate: 20, Inbox: 64 << 10}, nil)
	ann := s.Join("hall", nil)
	flooders := []*roomtest.Player{}
	for range 10 {
		flooders = append(flooders, s.Join("hall", nil))
	}
	ann.Forget()
	for _, f := range flooders {
		var err error
		for seq := uint64(1); err == nil && seq < 10_000; seq++ {
			err = f.Client.Receive(seq, 0, packetOf("say", "flood"))
		}
		var full *codec.Error
		require.ErrorAs(t, err, &full)
		assert.Equal(t, codec.InboxFull, full.Code)
		f.Client.Leave(full)
	}
	for range 10 {
		ann.Emit("say", "calm")
	}
	s.Run(second)
	calm := 0
	for _, text := range roomtest.All[string](ann, "said") {
		if text == "1: calm" {
			calm++
		}
	}
	assert.Equal(t, 10, calm)
	assert.Nil(t, ann.Left)
	assert.Equal(t, uint64(10), s.Host.Stats().Flooded)
	assert.LessOrEqual(t, len(ann.Packets()), 2*(128<<10)/64, "what waited was bounded")
}

func TestEmptyPacketsFillAnInboxToo(t *testing.T) {
	s := newSet(t, room.Config{Rate: 1}, nil)
	ann := s.Join("hall", nil)
	seq, err := uint64(1), error(nil)
	for ; err == nil && seq < 1<<20; seq++ {
		err = ann.Client.Receive(seq, 0, []codec.Packet{{Index: 99, Payload: []byte{0xc0}}})
	}
	assert.Error(t, err)
	assert.InDelta(t, 2000, seq, 100)
}
