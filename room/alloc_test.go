//go:build !race

package room_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// arena is a game whose ticks look like a real one's: each input moves its client, each tick tells everyone the state.
type arena struct {
	room *room.Room
	arenaState
	emits func(g *arena, c *room.Client) // on each input; nil: none
}

type arenaMove struct {
	Seq    uint32
	DX, DY float32
}

// arenaState is about 200 bytes on the wire.
type arenaState struct {
	Tick    uint64
	Players [8]struct {
		ID   uint32
		X, Y float32
	}
}

const (
	arenaMoves  room.Event[arenaMove]  = "move"
	arenaStates room.Event[arenaState] = "state"
)

func (g *arena) Join(*room.Client) error { return nil }
func (g *arena) Leave(*room.Client)      {}
func (g *arena) move(c *room.Client, m arenaMove) {
	p := &g.Players[c.ID()%8]
	p.ID, p.X, p.Y = c.ID(), p.X+m.DX, p.Y+m.DY
	if g.emits != nil {
		g.emits(g, c)
	}
}

type arenaTicker struct{ *arena }

func (g arenaTicker) Tick(t tick.Tick) {
	g.arenaState.Tick = t.N
	room.Emit(g.room, arenaStates, g.arenaState)
}

// counter is a link that counts frames and bytes.
type counter struct {
	silent
	frames, bytes int
	pending       int
}

func (l *counter) Send(buf []byte, head int) error {
	l.frames++
	l.bytes += len(buf) - head
	return nil
}
func (l *counter) Pending() int { return l.pending }

// pit is an arena with clients on links that count, and a frame of input for each of them.
type pit struct {
	room    *room.Room
	game    *arena
	clients []*room.Client
	links   []*counter
	seq     uint64
	frame   []byte
	packets []codec.Packet
	n       uint64
	sched   *tick.Scheduler
}

func newPit(tb testing.TB, rate, clients int) *pit {
	p := &pit{sched: tick.New(tick.Config{Manual: true})}
	tb.Cleanup(p.sched.Close)
	make := func(r *room.Room) *arena { p.room, p.game = r, &arena{room: r}; return p.game }
	var kind room.AnyKind
	if rate > 0 {
		k := room.Define("arena", func(r *room.Room) arenaTicker { return arenaTicker{make(r)} }, room.Config{Rate: rate})
		room.On(k, arenaMoves, func(g arenaTicker, c *room.Client, m arenaMove) { g.move(c, m) })
		kind = k
	} else {
		k := room.Define("arena", make, room.Config{})
		room.On(k, arenaMoves, (*arena).move)
		kind = k
	}
	h := room.NewHost(room.HostConfig{Scheduler: p.sched}, kind)
	for range clients {
		l := &counter{}
		c, refused := h.Join(room.JoinRequest{Name: "arena", Link: l})
		if refused != nil {
			tb.Fatal(refused)
		}
		p.clients, p.links = append(p.clients, c), append(p.links, l)
		p.sched.RunDue(0) // an event-driven room makes the game
	}
	payload, _ := codec.Marshal(arenaMove{Seq: 70_000, DX: 0.5, DY: -1})
	p.frame = codec.AppendArray([]byte{0x95, 0, 0, 1, 0}, 1)
	p.frame = append(codec.AppendEvent(p.frame, 0), payload...)
	if rate > 0 {
		p.step()
	}
	return p
}

// input parses the frame and gives it to each client, as a session does.
func (p *pit) input() {
	p.seq++
	for _, c := range p.clients {
		r := codec.NewReader(p.frame, codec.ClientLimits)
		_, n, err := r.Frame()
		if err == nil {
			_, err = r.ClientVolley(n)
		}
		if err == nil {
			p.packets, err = r.Packets(n, p.packets[:0])
		}
		if err == nil {
			err = c.Receive(p.seq, p.n, p.packets)
		}
		if err != nil {
			panic(err)
		}
	}
}

// step runs one tick of a room with a rate, as the scheduler does.
func (p *pit) step() {
	p.n++
	p.room0().Step(tick.Tick{N: p.n})
}

func (p *pit) room0() *room.Room { return p.clients[0].Room() }

func TestTickAllocatesNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		clients int
		emits   func(g *arena, c *room.Client)
	}{
		{"input and the state for the room", 8, nil},
		{"emit to self", 8, func(g *arena, c *room.Client) { room.Emit(c, arenaStates, g.arenaState) }},
		{"emit to the others", 8, func(g *arena, c *room.Client) { room.Emit(c.Others(), arenaStates, g.arenaState) }},
		{"latest", 8, func(g *arena, c *room.Client) { room.EmitLatest(g.room, arenaStates, 1, g.arenaState) }},
		{"latest in mixed scopes", 8, func(g *arena, c *room.Client) {
			room.EmitLatest(g.room, arenaStates, 1, g.arenaState)
			room.EmitLatest(c, arenaStates, 1, g.arenaState)
		}},
		{"100 clients", 100, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPit(t, 20, c.clients)
			p.game.emits = c.emits
			tickOnce := func() { p.input(); p.step() }
			for range 100 {
				tickOnce() // the buffers grow to their size
			}
			before := p.links[0].frames
			require.Zero(t, testing.AllocsPerRun(200, tickOnce))
			require.Equal(t, 201, p.links[0].frames-before, "a frame a tick")
		})
	}
}

func TestSlowClientAllocatesNothing(t *testing.T) {
	p := newPit(t, 20, 8)
	round := func() {
		p.links[3].pending = 1
		for range 5 {
			p.input()
			p.step()
		}
		p.links[3].pending = 0
		p.step()
	}
	for range 100 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(50, round))
}

func TestEventDrivenInputAllocatesNothing(t *testing.T) {
	for _, clients := range []int{8, 100} {
		t.Run(fmt.Sprint(clients), func(t *testing.T) {
			p := newPit(t, 0, clients)
			p.game.emits = func(g *arena, c *room.Client) { room.Emit(c.Others(), arenaStates, g.arenaState) }
			for range 20 {
				p.input()
			}
			before := p.links[0].frames
			require.Zero(t, testing.AllocsPerRun(20, p.input))
			require.Equal(t, 21*(clients-1), p.links[0].frames-before)
		})
	}
}

// lobby is an event-driven game that keeps nothing.
type lobby struct{ room *room.Room }

func (*lobby) Join(*room.Client) error { return nil }
func (*lobby) Leave(*room.Client)      {}

func TestIdleRoomIsSmall(t *testing.T) {
	const rooms, clients, limit = 2000, 10, 3 << 10
	sched := tick.New(tick.Config{Manual: true})
	defer sched.Close()
	k := room.Define("lobby", func(r *room.Room) *lobby { return &lobby{r} }, room.Config{Capacity: clients})
	room.On(k, arenaMoves, func(g *lobby, c *room.Client, m arenaMove) { room.Emit(g.room, "moved", m) })
	h := room.NewHost(room.HostConfig{Scheduler: sched}, k)
	all := make([]*room.Client, 0, rooms*clients)
	var link silent
	before := heap()
	for range rooms * clients {
		c, refused := h.Join(room.JoinRequest{Name: "lobby", Link: link})
		require.Nil(t, refused)
		all = append(all, c)
	}
	sched.RunDue(0)
	fresh := float64(heap()-before) / rooms
	for _, c := range all {
		require.NoError(t, c.Receive(1, 0, packetOf("move", arenaMove{Seq: 1})))
	}
	sched.RunDue(second)
	used := float64(heap()-before) / rooms
	t.Logf("an idle room with %d clients: %.0f bytes at first, %.0f after each client sent one event", clients, fresh, used)
	require.Less(t, used, float64(limit))
	runtime.KeepAlive(all)
	require.Equal(t, rooms, h.Stats().Rooms)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
