package room_test

import (
	"testing"

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
		acked := p.n
		if p.room0().Rate() == 0 {
			acked = p.room0().Tick()
		}
		r := codec.NewReader(p.frame, codec.ClientLimits)
		_, n, err := r.Frame()
		if err == nil {
			_, err = r.ClientVolley(n)
		}
		if err == nil {
			p.packets, err = r.Packets(n, p.packets[:0])
		}
		if err == nil {
			err = c.Receive(p.seq, acked, p.packets)
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
