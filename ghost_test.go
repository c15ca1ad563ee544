package volley_test

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// den is a game that tells everybody what is said, and remembers what its hooks were told.
type den struct {
	room *room.Room
	all  *dens
}

// dens are all rooms of a server.
type dens struct {
	mu  sync.Mutex
	log []string // guarded by mu
	in  int      // clients in rooms; guarded by mu
}

const (
	speak  room.Event[string]        = "speak"
	spoken room.Event[string]        = "spoken"
	out    room.Event[string]        = "out" // kicks everybody of that name
	ping   room.Call[string, string] = "ping"
)

func (g *den) note(in int, format string, args ...any) {
	g.all.mu.Lock()
	defer g.all.mu.Unlock()
	g.all.log = append(g.all.log, fmt.Sprintf(format, args...))
	g.all.in += in
}

// told returns what the hooks were told since the last time.
func (d *dens) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := d.log
	d.log = nil
	return log
}

// hears waits until the hooks were told want since the last time. A hook is told at a room's next tick, which may be after
// a peer has read what the tick before sent it.
func (d *dens) hears(t *testing.T, want ...string) {
	t.Helper()
	var log []string
	for end := time.Now().Add(10 * time.Second); len(log) < len(want) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		log = append(log, d.told()...)
	}
	assert.Equal(t, want, append(log, d.told()...))
}

func (d *dens) clients() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.in
}

func (g *den) Join(c *room.Client) error {
	name, err := room.Options[string](c)
	if name == "nobody" {
		return fmt.Errorf("nobody may come in")
	}
	g.note(1, "join %d", c.ID())
	return err
}
func (g *den) Leave(c *room.Client)   { g.note(-1, "leave %d", c.ID()) }
func (g *den) Dropped(c *room.Client) { g.note(0, "dropped %d", c.ID()) }
func (g *den) Resumed(c *room.Client) { g.note(0, "resumed %d", c.ID()) }
func (g *den) speak(c *room.Client, s string) {
	room.Emit(g.room, spoken, fmt.Sprintf("%d: %s", c.ID(), s))
}
func (g *den) out(c *room.Client, _ string) {
	for _, o := range g.room.Clients() {
		if o != c {
			o.Kick("out")
		}
	}
}

// newDens returns a kind of dens.
func newDens(cfg room.Config) (*room.Kind[*den], *dens) {
	all := &dens{}
	kind := room.Define("den", func(r *room.Room) *den { return &den{r, all} }, cfg)
	room.On(kind, speak, (*den).speak)
	room.On(kind, out, (*den).out)
	room.Handle(kind, ping, func(_ *den, _ *room.Client, s string) (string, error) { return s, nil })
	return kind, all
}

// ghost is a client by hand, which comes and goes.
type ghost struct {
	*raw
	srv       *running
	transport string
	welcome   codec.Welcome
	seats     map[uint32]*ghostSeat
}

// ghostSeat is what a ghost knows of one channel.
type ghostSeat struct {
	joined bool
	tick   uint64 // the last that it has processed
	sent   uint64 // its packets so far
	acked  uint64
	told   uint64 // RESUMED's
	heard  []string
	left   codec.Code
	frames int
}

func newGhost(t *testing.T, srv *running, transport string) *ghost {
	g := &ghost{srv: srv, transport: transport, seats: map[uint32]*ghostSeat{}}
	g.raw = dialRaw(t, srv, transport)
	g.send(codec.AppendHello(nil, nil))
	g.until(func() bool { return g.welcome.Version != 0 })
	return g
}

// next handles one frame; false: the connection has ended, or said BYE with the code.
func (g *ghost) next() (codec.Code, bool) {
	frame := g.receive()
	if frame == nil {
		return 0, false
	}
	r := codec.NewReader(frame, codec.ServerLimits)
	kind, n, err := r.Frame()
	require.NoError(g.t, err)
	switch kind {
	case codec.FrameWelcome:
		g.welcome, err = r.Welcome(n)
	case codec.FrameJoined:
		var j codec.Joined
		j, err = r.Joined(n)
		s := g.seat(j.Channel)
		s.joined, s.tick = true, j.Tick
	case codec.FrameResumed:
		var channel uint32
		var seq uint64
		channel, seq, err = r.Resumed(n)
		g.seat(channel).told = seq
		g.seat(channel).joined = true
	case codec.FrameLeft:
		var e codec.Reasoned
		e, err = r.Reasoned(kind, n)
		g.seat(e.Channel).left, g.seat(e.Channel).joined = e.Code, false
	case codec.FrameBye:
		e, err := r.Reasoned(kind, n)
		require.NoError(g.t, err)
		return e.Code, false
	case codec.FrameVolley:
		v, err := r.ServerVolley(n)
		require.NoError(g.t, err)
		packets, err := r.Packets(n, nil)
		require.NoError(g.t, err)
		s := g.seat(v.Channel)
		require.True(g.t, s.joined, "a VOLLEY before the answer")
		require.Greater(g.t, v.Tick, s.tick)
		s.tick, s.acked = v.Tick, v.Ack
		s.frames++
		for _, p := range packets {
			var text string
			require.NoError(g.t, codec.Unmarshal(p.Payload, &text))
			s.heard = append(s.heard, text)
		}
	}
	require.NoError(g.t, err)
	return 0, true
}

func (g *ghost) seat(channel uint32) *ghostSeat {
	if g.seats[channel] == nil {
		g.seats[channel] = &ghostSeat{}
	}
	return g.seats[channel]
}

// until reads until something is so.
func (g *ghost) until(so func() bool) {
	g.t.Helper()
	for !so() {
		if code, on := g.next(); !on {
			g.t.Fatalf("the connection ended with %v", code)
		}
	}
}

// over reads to the end and returns BYE's code.
func (g *ghost) over() codec.Code {
	for {
		if code, on := g.next(); !on {
			return code
		}
	}
}

func (g *ghost) join(channel uint32, name string) *ghostSeat {
	g.t.Helper()
	options, err := codec.Marshal(name)
	require.NoError(g.t, err)
	s := &ghostSeat{}
	g.seats[channel] = s
	g.send(codec.AppendJoin(nil, channel, codec.JoinOrCreate, "den", options))
	g.until(func() bool { return s.joined || s.left != 0 })
	return s
}

// emit sends an event.
func (g *ghost) emit(channel uint32, event, text string) {
	s := g.seat(channel)
	s.sent++
	g.emitAgain(channel, s.sent, event, text)
}

func (g *ghost) emitAgain(channel uint32, seq uint64, event, text string) {
	packet := codec.AppendStr(codec.AppendNamedEvent(nil, event), text)
	buf := append(make([]byte, codec.MaxPrefix), packet...)
	g.send(buf[codec.PutVolley(buf, codec.MaxPrefix, channel, seq, g.seat(channel).tick, 1):])
}

// cut ends the connection as a network does: without a word.
func (g *ghost) cut() {
	if tcp, ok := g.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = g.conn.Close()
}

// wish is how far the ghost is on each channel.
func (g *ghost) wish() (list []codec.Processed) {
	for channel, s := range g.seats {
		list = append(list, codec.Processed{Channel: channel, Tick: s.tick})
	}
	slices.SortFunc(list, func(a, b codec.Processed) int { return int(a.Channel) - int(b.Channel) })
	return list
}

// resume comes back over another connection with a token and returns the code with which it was refused; 0: it was not. The
// connection before, if it still lives, is returned as well.
func (g *ghost) resume(token string, channels []codec.Processed) (before *raw, refused codec.Code) {
	g.t.Helper()
	before = g.raw
	g.raw = dialRaw(g.t, g.srv, g.transport)
	welcome := g.welcome
	g.welcome = codec.Welcome{}
	for _, s := range g.seats {
		s.joined, s.left = false, 0
	}
	g.send(codec.AppendResume(nil, nil, codec.Resume{Token: token, Channels: channels}))
	code, on := g.next()
	if !on {
		g.welcome = welcome
		return before, code
	}
	require.True(g.t, g.welcome.Resumed)
	require.Equal(g.t, welcome.Session, g.welcome.Session)
	for _, p := range channels {
		g.until(func() bool { return g.seat(p.Channel).joined || g.seat(p.Channel).left != 0 })
	}
	return before, 0
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after ten seconds: %s", what)
		}
	}
}
