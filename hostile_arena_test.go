package volley_test

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// pen is the game in which peers attack. Honest clients send numbered marks, which it sends back; everyone gets its numbered
// beats.
type pen struct {
	room   *room.Room
	faults *faults
	marks  map[*room.Client]int // of who has sent any
	beats  int
}

type form struct {
	X float32
	N uint8
	M map[string]int
	L []int16
}

const (
	mark   room.Event[int]        = "mark"   // from an honest client: 1, 2, 3 …
	marked room.Event[int]        = "marked" // back to it
	beat   room.Event[int]        = "beat"   // to everyone: 1, 2, 3 …
	fill   room.Event[form]       = "fill"
	loose  room.Event[any]        = "loose"
	bulk   room.Call[int, []byte] = "bulk"   // that many bytes
	quiz   room.Event[int]        = "quiz"   // ask me that many riddles
	riddle room.Call[int, int]    = "riddle" // of the room
)

func (p *pen) Join(*room.Client) error { return nil }
func (p *pen) Leave(c *room.Client)    { delete(p.marks, c) }

func (p *pen) Mark(c *room.Client, n int) {
	if p.marks[c]++; n != p.marks[c] {
		p.faults.add("client %d: mark %d came where %d was due", c.ID(), n, p.marks[c])
	}
	room.Emit(c, marked, n)
	if p.room.Rate() == 0 {
		p.beat()
	}
}

func (p *pen) beat() {
	p.beats++
	room.Emit(p.room, beat, p.beats)
}

func (p *pen) Quiz(c *room.Client, n int) {
	for i := range n {
		room.Ask(c, riddle, i, 100*time.Millisecond, func(int, error) {})
	}
}

// tickingPen is a pen with ticks.
type tickingPen struct{ *pen }

func (p tickingPen) Tick(tick.Tick) { p.beat() }

type pennable interface {
	room.Game
	Mark(c *room.Client, n int)
	Quiz(c *room.Client, n int)
}

func pens(f *faults) []room.AnyKind {
	make1 := func(r *room.Room) *pen { return &pen{room: r, faults: f, marks: map[*room.Client]int{}} }
	cfg := room.Config{Grace: 10 * time.Millisecond}
	ticking := cfg
	ticking.Rate = tick.MaxRate
	return []room.AnyKind{
		handlePen(room.Define("pen", func(r *room.Room) tickingPen { return tickingPen{make1(r)} }, ticking)),
		handlePen(room.Define("hall", make1, cfg)),
	}
}

func handlePen[G pennable](k *room.Kind[G]) *room.Kind[G] {
	room.On(k, mark, func(g G, c *room.Client, n int) { g.Mark(c, n) })
	room.On(k, quiz, func(g G, c *room.Client, n int) { g.Quiz(c, n) })
	room.On(k, line, func(G, *room.Client, string) {})
	room.On(k, fill, func(G, *room.Client, form) {})
	room.On(k, loose, func(_ G, c *room.Client, v any) { room.Emit(c, loose, v) })
	room.Handle(k, upper, func(_ G, _ *room.Client, s string) (string, error) { return strings.ToUpper(s), nil })
	room.Handle(k, bulk, func(_ G, _ *room.Client, n int) ([]byte, error) { return make([]byte, min(n, 64<<10)), nil })
	return k
}

// arena is a server with honest clients, two in each of two rooms, that play all the time.
type arena struct {
	t      *testing.T
	srv    *running
	faults *faults
	honest []*pawn
	names  int // in the event table

	newcomers int
}

// pawn is an honest client.
type pawn struct {
	name   string
	room   *client.Room
	faults *faults

	mu       sync.Mutex
	sent     int
	returned int
	beats    int
}

func newArena(t *testing.T, cfg volley.Config) *arena {
	a := &arena{t: t, faults: &faults{}}
	a.srv = serve(t, cfg, pens(a.faults)...)
	ctx, stop := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	for _, kind := range []string{"pen", "hall"} {
		for _, transport := range []string{"ws", "tcp"} {
			p := &pawn{name: kind + " by " + transport, faults: a.faults}
			p.enter(t, a.srv.dial(t, transport, nil), kind)
			a.honest = append(a.honest, p)
			playing.Go(func() { p.play(ctx) })
		}
	}
	t.Cleanup(func() {
		stop()
		playing.Wait()
	})
	p := a.foe(t, "tcp", "hall")
	p.send(volleyOf(1, 0, event("quiz", unhex("01")))) // its name is the last that comes into the event table
	p.send(codec.AppendClientBye(nil, codec.Normal, ""))
	p.end()
	a.settle(t)
	a.names = a.srv.Names().Len()
	return a
}

// enter joins and looks at everything that comes.
func (p *pawn) enter(t testing.TB, c *client.Client, kind string) {
	c.OnState(func(s client.State) {
		if s.Phase != client.Connected && s.Phase != client.Closed {
			p.faults.add("%s: its connection was lost", p.name)
		}
	})
	var err error
	p.room, err = c.JoinOrCreate(within(t), kind, nil, func(r *client.Room) {
		client.On(r, marked, func(n int, _ client.Meta) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.returned++; n != p.returned {
				p.faults.add("%s: mark %d came back where %d was due", p.name, n, p.returned)
			}
		})
		client.On(r, beat, func(n int, _ client.Meta) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.beats++; n != p.beats && p.beats > 1 {
				p.faults.add("%s: beat %d came where %d was due", p.name, n, p.beats)
			}
			p.beats = n
		})
	})
	require.NoError(t, err)
}

func (p *pawn) play(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		p.sent++
		if err := client.Emit(p.room, mark, p.sent); err != nil {
			p.faults.add("%s: %v", p.name, err)
		}
		p.mu.Unlock()
		time.Sleep(4 * time.Millisecond)
	}
}

// settle waits until all that the honest clients have sent by now has come back.
func (a *arena) settle(t testing.TB) {
	t.Helper()
	for _, p := range a.honest {
		p.mu.Lock()
		due, beats := p.sent, p.beats
		p.mu.Unlock()
		require.Eventually(t, func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.returned >= due && p.beats > beats
		}, 10*time.Second, time.Millisecond, "%s plays on", p.name)
	}
	a.faults.want(t)
}

// usage is what a process uses.
type usage struct {
	heap       int64
	goroutines int
	files      int // descriptors
}

// rest waits until no peer is left but the honest ones, and returns what is used then.
func (a *arena) rest(t testing.TB) usage {
	t.Helper()
	var st volley.Stats
	if !assert.Eventually(t, func() bool {
		st = a.srv.Stats()
		return st.Net.Open == len(a.honest) && st.Net.Sockets == len(a.honest) && st.Net.Handshakes == 0 &&
			st.Sessions.Held == len(a.honest) && st.Rooms.Away == 0 && st.Rooms.Rooms == 2 && st.Rooms.Failed == 0
	}, 10*time.Second, time.Millisecond, "the server is as it was") {
		t.Fatalf("%+v", st)
	}
	return usage{heap(), runtime.NumGoroutine(), openFiles(t)}
}

// unharmed wants the server as it was at that level, and newcomers and the honest clients to be served as if nothing had been.
func (a *arena) unharmed(t testing.TB, transport string, before usage, growth int64) {
	t.Helper()
	a.newcomers++
	a.newcomer(t, transport, []string{"pen", "hall"}[a.newcomers%2])
	a.settle(t)
	var now usage
	ok := func() bool {
		now = a.rest(t)
		return now.goroutines <= before.goroutines && now.files <= before.files && now.heap-before.heap < growth
	}
	for end := time.Now().Add(5 * time.Second); !ok() && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	assert.LessOrEqual(t, now.goroutines, before.goroutines, "goroutines")
	assert.LessOrEqual(t, now.files, before.files, "descriptors")
	assert.Less(t, now.heap-before.heap, growth, "bytes of heap that stay")
	assert.Equal(t, a.names, a.srv.Names().Len(), "names in the event table")
}

// newcomer comes, plays and goes.
func (a *arena) newcomer(t testing.TB, transport, kind string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, a.srv.url(transport), client.Config{TLS: a.srv.tls})
	require.NoError(t, err)
	r, err := c.Join(ctx, kind, nil)
	require.NoError(t, err)
	got, err := client.Request(ctx, r, upper, "hello")
	require.NoError(t, err)
	require.Equal(t, "HELLO", got)
	require.NoError(t, c.Close())
	<-c.Done()
}

// heap returns how many bytes of the heap are in use.
func heap() int64 {
	runtime.GC() // the second one empties the pools
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// openFiles returns how many descriptors the process has open.
func openFiles(t testing.TB) int {
	dir, err := os.Open("/dev/fd")
	require.NoError(t, err)
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	require.NoError(t, err)
	return len(names)
}

// attack is what a peer does that no honest client does, and what comes of it.
type attack struct {
	name  string
	state string // what goes before: "bare": the socket; "new": the upgrade; "open": HELLO; "pen", "hall": JOIN; "any": one of them in turn
	do    func(p *raw)
	want  codec.Code // by BYE and close frame, or a status of HTTP
	times int        // at most; 0: attacksEach
}

// say is a peer that says frames.
func say(frames ...[]byte) func(p *raw) {
	return func(p *raw) {
		for _, f := range frames {
			p.send(f)
		}
	}
}

// write is a peer that writes bytes at once.
func write(parts ...[]byte) func(p *raw) {
	var b []byte
	for _, part := range parts {
		b = append(b, part...)
	}
	return func(p *raw) { p.write(b) }
}

// run makes the attacks, each many times and over each of the transports, and looks at the server after each.
func (a *arena) run(transports string, attacks []attack) {
	ways := strings.Fields(transports)
	start := a.rest(a.t)
	for i, x := range attacks {
		a.t.Run(x.name, func(t *testing.T) {
			before := a.rest(t)
			for j := range cmp.Or(min(x.times, attacksEach), attacksEach) {
				a.attack(t, ways[j%len(ways)], j/len(ways), x)
				if t.Failed() {
					return
				}
			}
			a.unharmed(t, ways[i%len(ways)], before, 256<<10)
		})
	}
	a.unharmed(a.t, ways[0], start, 1<<20)
}

// attack makes one attack, the nth of its sort.
func (a *arena) attack(t testing.TB, transport string, n int, x attack) {
	t.Helper()
	state := x.state
	if state == "any" {
		state = []string{"pen", "hall"}[n%2]
	}
	p := a.foe(t, transport, state)
	x.do(p)
	switch {
	case x.want == survives:
		assert.True(t, p.alive(), "it is still served")
		p.send(codec.AppendClientBye(nil, codec.Normal, ""))
		p.end()
	case x.want >= 100 && x.want < 600:
		assert.Equal(t, x.want, p.status())
		p.reset()
	case x.want == limited:
		assert.Contains(t, []codec.Code{codec.RateLimited, codec.InboxFull}, p.end())
	case x.want == parted:
		assert.Equal(t, map[bool]codec.Code{true: codec.Normal, false: cut}[p.ws], p.end())
	default:
		assert.Equal(t, x.want, p.end())
	}
}

// foe is a peer that has got as far as that state.
func (a *arena) foe(t testing.TB, transport, state string) *raw {
	t.Helper()
	if state == "bare" {
		return dialBare(t, a.srv, transport)
	}
	p := dialRaw(t, a.srv, transport)
	if state == "new" {
		return p
	}
	p.hello(codec.AppendHello(nil, nil))
	if state != "open" {
		p.join(state)
	}
	return p
}
