package volley_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// drainServerEnv makes the test binary the server of the drain's tests: a process of its own, which hears signals.
const drainServerEnv = "VOLLEY_TEST_DRAIN"

const (
	counted  room.Event[news] = "counted" // each tick, to everyone
	farewell room.Event[int]  = "total"   // to who leaves: how many there were
)

// news is one of a row of events.
type news struct {
	N    int
	Fill []byte
}

// feed emits a row of events and, to who leaves, their number, so that a client knows whether it has got all of them.
type feed struct {
	room *room.Room
	size int // of each event
	last int
}

func (g *feed) Join(*room.Client) error { return nil }
func (g *feed) Leave(c *room.Client)    { room.Emit(c, farewell, g.last) }
func (g *feed) Tick(tick.Tick) {
	g.last++
	room.Emit(g.room, counted, news{g.last, make([]byte, g.size)})
}

// encore is a feed that goes on for some time after it has heard of the drain.
type encore struct {
	feed
	ends bool // by itself
}

func (g *encore) Drain(deadline time.Time) {
	if g.ends {
		g.room.After(300*time.Millisecond, func() { g.room.Close("the match is over") })
	}
	room.Emit(g.room, farewell, -1)
}

func feedKinds(forever bool) []room.AnyKind {
	return []room.AnyKind{
		room.Define("feed", func(r *room.Room) *feed { return &feed{room: r, size: 20} }, room.Config{Rate: 20, Capacity: 50}),
		room.Define("heavy", func(r *room.Room) *feed { return &feed{room: r, size: 256 << 10} },
			room.Config{Rate: 20, Capacity: 10, Log: 32 << 20}),
		room.Define("encore", func(r *room.Room) *encore { return &encore{feed{room: r}, !forever} }, room.Config{Rate: 20, Capacity: 50}),
	}
}

// serveDrain is the server process: main as the examples have it.
func serveDrain() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	srv := volley.New(volley.Config{
		Addr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0", DrainTimeout: drainTimeout, DrainSpread: drainSpread, DrainTo: drainTo,
	}, feedKinds(os.Getenv(drainServerEnv) == "forever")...)
	if err := srv.Listen(); err != nil {
		panic(err)
	}
	fmt.Println(srv.Addr(), srv.TCPAddr())
	if err := srv.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	st := srv.Stats()
	fmt.Println("left:", st.Net.Open, st.Net.Sockets, st.Rooms.Rooms)
}

const (
	drainTimeout = 20 * time.Second
	drainSpread  = 5 * time.Second
	drainTo      = "wss://next.example/volley"
)

// drainServer is that process.
type drainServer struct {
	cmd     *exec.Cmd
	out     *bufio.Reader
	ws, tcp string
	stderr  strings.Builder
}

func startDrainServer(t *testing.T, how string) *drainServer {
	t.Helper()
	s := &drainServer{cmd: exec.Command(os.Args[0])}
	s.cmd.Env = append(os.Environ(), drainServerEnv+"="+how)
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	require.NoError(t, err)
	web, tcp, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.ws, s.tcp = "ws://"+web+"/volley", "tcp://"+tcp
	return s
}

// hearer is a client that keeps what it hears.
type hearer struct {
	kind    string
	c       *client.Client
	last    int          // event
	now     atomic.Int64 // last, for other goroutines
	broken  string
	total   int
	encored bool
	left    codec.Code
	leftBye bool // LEFT came before the connection's end
}

// listen joins a room of the kind and checks that no event of the row is missing.
func listen(ctx context.Context, url, kind string, cfg client.Config) (*hearer, error) {
	cfg.Reconnect = once
	c, err := client.Dial(ctx, url, cfg)
	if err != nil {
		return nil, err
	}
	l := &hearer{kind: kind, c: c}
	_, err = c.JoinOrCreate(ctx, kind, nil, func(r *client.Room) {
		client.On(r, counted, func(n news, _ client.Meta) {
			if l.last > 0 && n.N != l.last+1 {
				l.broken += fmt.Sprintf("%d after %d; ", n.N, l.last)
			}
			l.last = n.N
			l.now.Store(int64(n.N))
		})
		client.On(r, farewell, func(n int, _ client.Meta) {
			if n < 0 {
				l.encored = true
			} else {
				l.total = n
			}
		})
		r.OnLeft(func(code codec.Code, _ string) { l.left, l.leftBye = code, c.Err() == nil })
	})
	return l, err
}

// check waits for the end and returns what was wrong about it.
func (l *hearer) check(ctx context.Context) error {
	select {
	case <-l.c.Done():
	case <-ctx.Done():
		return fmt.Errorf("%s: it has not ended", l.kind)
	}
	end, ok := l.c.Err().(*client.CloseError)
	switch {
	case !ok || end.Code != codec.GoingAway || !end.Remote:
		return fmt.Errorf("%s: it ended by %w", l.kind, l.c.Err())
	case l.left != codec.RoomClosed || !l.leftBye:
		return fmt.Errorf("%s: the room ended by %v, before the connection: %v", l.kind, l.left, l.leftBye)
	case l.broken != "" || l.last == 0 || l.last != l.total:
		return fmt.Errorf("%s: %d events of %d, %s", l.kind, l.last, l.total, l.broken)
	case l.encored != (l.kind == "encore"):
		return fmt.Errorf("%s: it heard of the drain: %v", l.kind, l.encored)
	case end.Address != drainTo:
		return fmt.Errorf("%s: it is to come back to %q", l.kind, end.Address)
	case end.Delay <= 0 || end.Delay > drainSpread:
		return fmt.Errorf("%s: it is to come back after %v", l.kind, end.Delay)
	}
	return nil
}

// gate is a connection that is not read for a while.
type gate struct {
	net.Conn
	open *sync.RWMutex
}

func (g gate) Read(b []byte) (int, error) {
	g.open.RLock()
	g.open.RUnlock() //nolint:staticcheck // only to wait
	return g.Conn.Read(b)
}

// slowly is how a client dials that reads only while the gate is open.
func slowly(open *sync.RWMutex) client.Config {
	return client.Config{NetDial: func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return gate{nc, open}, nc.(*net.TCPConn).SetReadBuffer(64 << 10)
	}}
}

// On SIGTERM a server with many live clients ends with status 0: every client has got all that was emitted before, its room's
// last word, and a goodbye that tells it to come back, each after another while. Slow ones too.
func TestDrainOnSIGTERM(t *testing.T) {
	clients := 2000
	if raceDetector || testing.Short() {
		clients = 200
	}
	srv := startDrainServer(t, "once")
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var open sync.RWMutex
	all := make([]*hearer, clients)
	errs := make([]error, clients)
	var dialling sync.WaitGroup
	slots := make(chan struct{}, 64)
	for i := range all {
		slots <- struct{}{}
		dialling.Go(func() {
			defer func() { <-slots }()
			url, kind, cfg := srv.ws, "feed", client.Config{}
			switch {
			case i%100 == 7:
				kind, cfg = "heavy", slowly(&open)
			case i%4 == 1:
				kind = "encore"
			}
			if i%3 == 0 {
				url = srv.tcp
			}
			all[i], errs[i] = listen(ctx, url, kind, cfg)
		})
	}
	dialling.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	time.Sleep(300 * time.Millisecond)
	open.Lock()                         // the slow ones stop reading,
	time.Sleep(1500 * time.Millisecond) // and fall behind by some megabytes
	require.NoError(t, srv.cmd.Process.Signal(syscall.SIGTERM))
	start := time.Now()
	time.Sleep(3 * time.Second) // longer than a closing connection is waited for otherwise
	open.Unlock()

	delays := map[time.Duration]int{}
	for i, l := range all {
		require.NoError(t, l.check(ctx), "client %d; the server says:\n%s", i, &srv.stderr)
		delays[l.c.Err().(*client.CloseError).Delay]++
	}
	assert.Greater(t, len(delays), clients/2, "the delays differ")
	rest, _ := srv.out.ReadString('\n')
	require.NoError(t, srv.cmd.Wait(), "it ends with status 0\n%s", srv.stderr.String())
	assert.Less(t, time.Since(start), drainTimeout)
	assert.Equal(t, "left: 0 0 0\n", rest)
	t.Logf("%d clients, drained in %v", clients, time.Since(start))
}

// A second signal ends the process at once.
func TestSecondSIGTERM(t *testing.T) {
	srv := startDrainServer(t, "forever")
	l, err := listen(within(t), srv.ws, "encore", client.Config{})
	require.NoError(t, err)
	defer l.c.Close()
	require.NoError(t, srv.cmd.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- srv.cmd.Wait() }()
	select {
	case err := <-ended:
		require.Fail(t, "the first one ended it", "%v", err)
	case <-time.After(time.Second):
	}
	start := time.Now()
	require.NoError(t, srv.cmd.Process.Signal(syscall.SIGTERM))
	err = next(t, ended)
	assert.Error(t, err)
	assert.Less(t, time.Since(start), time.Second)
	<-l.c.Done()
}

// Nothing is left of a server that was closed: no goroutine, no descriptor. A second server in the same process is not touched.
func TestCloseLeavesNothing(t *testing.T) {
	other := serve(t, volley.Config{}, newLobbyKind())
	witness, _, lines := joinLobby(t, other.dial(t, "ws", nil))
	settled := func() (goroutines, files int) {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return runtime.NumGoroutine(), len(entries)
	}
	round := func() {
		srv := volley.New(volley.Config{Addr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0", DrainSpread: drainSpread, DrainTo: drainTo}, feedKinds(false)...)
		require.NoError(t, srv.Listen())
		ran := make(chan error, 1)
		go func() { ran <- srv.Run(context.Background()) }()
		all := make([]*hearer, 200)
		var dialling sync.WaitGroup
		for i := range all {
			dialling.Go(func() {
				var err error
				kind := []string{"feed", "encore"}[i%2]
				all[i], err = listen(within(t), (&running{Server: srv}).url([]string{"ws", "tcp"}[i/2%2]), kind, client.Config{})
				assert.NoError(t, err)
			})
		}
		dialling.Wait()
		time.Sleep(200 * time.Millisecond)
		require.NoError(t, srv.Close(within(t)))
		require.NoError(t, <-ran)
		for _, l := range all {
			require.NoError(t, l.check(within(t)))
		}
		st := srv.Stats()
		require.Zero(t, st.Net.Sockets+st.Net.Open+st.Net.Buffered+st.Rooms.Rooms)
	}
	round() // what is made once per process
	goroutines, files := settled()
	round()
	var g, f int
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if g, f = settled(); g <= goroutines && f <= files {
			break
		}
	}
	stacks := make([]byte, 1<<20)
	require.LessOrEqual(t, g, goroutines, "goroutines: %s", stacks[:runtime.Stack(stacks, true)])
	require.LessOrEqual(t, f, files, "descriptors")
	require.NoError(t, client.Emit(witness, line, "still here"))
	assert.Equal(t, "still here", next(t, lines))
}

// A connection without rooms need not wait for the games of others, and nobody comes in meanwhile.
func TestDrainSendsTheIdleOff(t *testing.T) {
	srv := volley.New(volley.Config{Addr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0", DrainTimeout: 4 * time.Second, DrainTo: drainTo}, feedKinds(true)...)
	require.NoError(t, srv.Listen())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	r := &running{Server: srv}
	l, err := listen(within(t), r.url("ws"), "encore", client.Config{})
	require.NoError(t, err)
	idle := r.dial(t, "ws", nil)
	start := time.Now()
	stop()
	<-idle.Done()
	assert.Less(t, time.Since(start), time.Second)
	assert.Equal(t, codec.GoingAway, idle.Err().(*client.CloseError).Code)

	_, err = l.c.JoinOrCreate(within(t), "feed", nil)
	var left *client.LeftError
	require.ErrorAs(t, err, &left)
	assert.Equal(t, codec.RoomClosed, left.Code)
	_, err = client.Dial(within(t), r.url("ws"), client.Config{})
	require.Error(t, err)
	heard := l.now.Load()

	<-l.c.Done() // the game never ends; the deadline does it, a second before the connections'
	assert.InDelta(t, 3, time.Since(start).Seconds(), 0.7)
	assert.Greater(t, l.now.Load(), heard, "the game went on")
	require.NoError(t, l.check(within(t)))
	require.NoError(t, <-ended)
}

// Peers that take nothing do not make a drain fail, nor hold it up beyond its time.
func TestDrainWithDeafPeers(t *testing.T) {
	srv := volley.New(volley.Config{Addr: "127.0.0.1:0", DrainTimeout: 2 * time.Second}, feedKinds(false)...)
	require.NoError(t, srv.Listen())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	var open sync.RWMutex
	l, err := listen(within(t), (&running{Server: srv}).url("ws"), "heavy", slowly(&open))
	require.NoError(t, err)
	time.Sleep(200 * time.Millisecond)
	open.Lock()
	require.Eventually(t, func() bool { return srv.Stats().Net.Buffered > 0 }, 20*time.Second, 10*time.Millisecond)
	start := time.Now()
	stop()
	require.NoError(t, <-ended)
	assert.InDelta(t, 2, time.Since(start).Seconds(), 1)
	open.Unlock()
	<-l.c.Done()
}
