package volley_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// TestCutsLoseNothing: many clients through a network that tears connections apart anywhere, handshakes included: of numbered
// events and requests, both ways, none is lost, none comes twice, and none out of order. Nobody loses a seat.
func TestCutsLoseNothing(t *testing.T) {
	const players, playing = 24, 4 * time.Second
	var f faults
	srv := serve(t, volley.Config{}, ledgers(&f)...)
	cutters := map[string]*cutter{
		"ws": newCutter(t, srv.Addr().String(), 3000, 1), "tcp": newCutter(t, srv.TCPAddr().String(), 1500, 2),
	}
	ctx, stop := context.WithTimeout(context.Background(), playing)
	defer stop()
	var all []*player
	var running sync.WaitGroup
	for i := range players {
		transport, kind := []string{"ws", "tcp"}[i%2], []string{"ledger", "ticking"}[i/2%2]
		p := &player{name: fmt.Sprintf("%s %s %d", transport, kind, i), faults: &f}
		all = append(all, p)
		running.Go(func() {
			c := p.enter(t, transport+"://"+cutters[transport].ln.Addr().String()+"/volley", kind)
			p.play(ctx, rand.New(rand.NewPCG(uint64(i), 3)))
			<-ctx.Done()
			for _, cut := range cutters {
				cut.calm.Store(true)
			}
			p.settle(within(t))
			_ = c.Close()
			<-c.Done()
		})
	}
	running.Wait()
	f.want(t)
	var resumed, events, requests int
	for _, p := range all {
		resumed += int(p.resumed.Load())
		events, requests = events+p.entries+p.stocked, requests+p.asked+p.cubed
	}
	cuts := cutters["ws"].cuts.Load() + cutters["tcp"].cuts.Load()
	t.Logf("%d connections cut, %d sessions resumed, %d events and %d requests exact", cuts, resumed, events, requests)
	require.Greater(t, resumed, 2*players)
	var st volley.Stats
	require.Eventually(t, func() bool { // what is left is of those whose first WELCOME was cut off
		st = srv.Stats()
		return st.Rooms.Rooms == 0 && st.Rooms.Away == 0 && st.Sessions.Held == st.Sessions.Away
	}, 5*time.Second, 10*time.Millisecond, "%+v", &st)
}

// TestCutsJoinAndLeave: joins and leaves through such a network happen exactly once, whichever word of them is lost.
func TestCutsJoinAndLeave(t *testing.T) {
	var f faults
	var joins, leaves atomic.Int64
	k := room.Define("door", func(r *room.Room) *door { return &door{&joins, &leaves, newLedger(r, &f)} }, room.Config{Capacity: 4})
	srv := serve(t, volley.Config{RoomsPerConn: 4, JoinsPerSecond: -1}, countIn(k))
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Second)
	defer stop()
	var cutters []*cutter
	var running sync.WaitGroup
	var entered atomic.Int64
	for i := range 8 {
		transport, target := "ws", srv.Addr().String()
		if i%2 == 1 {
			transport, target = "tcp", srv.TCPAddr().String()
		}
		cut := newCutter(t, target, 1500, uint64(10+i))
		cut.calm.Store(true) // until it has begun
		cutters = append(cutters, cut)
		p := &player{name: fmt.Sprintf("%s %d", transport, i), faults: &f}
		c, err := client.Dial(within(t), transport+"://"+cut.ln.Addr().String()+"/volley", client.Config{
			DialTimeout: 2 * time.Second, Reconnect: client.Reconnect{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond},
		})
		require.NoError(t, err)
		cut.calm.Store(false)
		for range 3 { // rooms of one client at a time
			running.Go(func() {
				for n := 1; ctx.Err() == nil; n++ {
					entered.Add(1)
					p.visit(within(t), c, n%7)
				}
			})
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	running.Wait()
	f.want(t)
	cuts := int64(0)
	for _, cut := range cutters {
		cuts += cut.cuts.Load()
	}
	t.Logf("%d connections cut, %d visits", cuts, entered.Load())
	require.Greater(t, cuts, int64(50))
	require.Equal(t, entered.Load(), joins.Load())
	require.Equal(t, entered.Load(), leaves.Load())
	require.Eventually(t, func() bool { return srv.Stats().Rooms.Rooms == 0 }, 5*time.Second, time.Millisecond)
}

// TestAnotherServer: a server that takes the place of one that has crashed knows no tokens and none of its rooms; its clients are
// new, and join again.
func TestAnotherServer(t *testing.T) {
	for _, transport := range []string{"ws", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			one, two := serve(t, volley.Config{}, newLobbyKind()), serve(t, volley.Config{}, newLobbyKind())
			at := func(srv *running) string {
				return map[string]func() net.Addr{"ws": srv.Addr, "tcp": srv.TCPAddr}[transport]().String()
			}
			network := newCutter(t, at(one), 0, 0)
			network.calm.Store(true)
			c, err := client.Dial(within(t), transport+"://"+network.ln.Addr().String()+"/volley", client.Config{})
			require.NoError(t, err)
			defer c.Close()
			names, lines, rejoined := make(chan string, 10), make(chan string, 10), make(chan int, 10)
			r, err := c.JoinOrCreate(within(t), "lobby", nil, func(r *client.Room) {
				client.On(r, who, func(s string, _ client.Meta) { names <- s })
				client.On(r, line, func(s string, _ client.Meta) { lines <- s })
				r.OnRejoin(func(lost int) { rejoined <- lost })
			})
			require.NoError(t, err)
			id, session := r.ID(), c.Session()
			require.NoError(t, client.Emit(r, line, "before"))
			require.Equal(t, "before", <-lines)
			<-names
			require.Eventually(t, func() bool { return r.Ack() == 1 }, 5*time.Second, time.Millisecond)

			network.redirect(at(two))
			require.Zero(t, <-rejoined)
			<-names
			require.NotEqual(t, id, r.ID())
			require.NotEqual(t, session, c.Session())
			require.False(t, c.State().Resumed)
			require.NoError(t, client.Emit(r, line, "after"))
			require.Equal(t, "after", <-lines)
			require.Equal(t, uint64(1), two.Stats().Sessions.Refused)
		})
	}
}

// TestShutdownAndBack: a server that shuts down ends its rooms; its clients find the next one, and join what they want there.
func TestShutdownAndBack(t *testing.T) {
	start := func(addr string) (srv *volley.Server, stop func()) {
		srv = volley.New(volley.Config{Addr: addr}, newLobbyKind())
		require.NoError(t, srv.Listen())
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- srv.Run(ctx) }()
		return srv, func() {
			cancel()
			require.NoError(t, <-ended)
		}
	}
	srv, stop := start("127.0.0.1:0")
	addr := srv.Addr().String()
	c, err := client.Dial(within(t), "ws://"+addr+"/volley", client.Config{
		Reconnect: client.Reconnect{Min: 20 * time.Millisecond, Max: 20 * time.Millisecond},
	})
	require.NoError(t, err)
	defer c.Close()
	left, again := make(chan codec.Code, 1), make(chan error, 1)
	c.OnState(func(st client.State) {
		if st.Phase == client.Connected && !st.Resumed {
			go func() {
				_, err := c.JoinOrCreate(within(t), "lobby", nil)
				again <- err
			}()
		}
	})
	_, err = c.JoinOrCreate(within(t), "lobby", nil, func(r *client.Room) {
		r.OnLeft(func(code codec.Code, _ string) { left <- code })
	})
	require.NoError(t, err)
	stop()
	_, stop = start(addr)
	defer stop()
	require.Equal(t, codec.RoomClosed, <-left)
	require.NoError(t, <-again)
	require.Equal(t, client.Connected, c.State().Phase)
}

// board is a game whose clients add to a sum, and hear of each addition. Who was away for too long is told the sum.
type board struct {
	room *room.Room
	sum  int
}

const (
	add   room.Event[int]     = "add"
	added room.Event[int]     = "added"
	sum   room.Event[int]     = "sum"
	plus  room.Call[int, int] = "plus"
)

func (b *board) Join(*room.Client) error { return nil }
func (b *board) Leave(*room.Client)      {}
func (b *board) Resync(c *room.Client)   { room.Emit(c, sum, b.sum) }
func (b *board) Add(_ *room.Client, n int) {
	b.sum += n
	room.Emit(b.room, added, n)
}

// TestAwayForTooLong: a client that comes back after more has happened than the room remembers is told so, then the state, and
// misses nothing from there on; what it has emitted itself, before and meanwhile, counts once.
func TestAwayForTooLong(t *testing.T) {
	k := room.Define("board", func(r *room.Room) *board { return &board{room: r} }, room.Config{Log: 4 << 10})
	room.On(k, add, (*board).Add)
	room.Handle(k, plus, func(b *board, c *room.Client, n int) (int, error) { b.Add(c, n); return b.sum, nil })
	srv := serve(t, volley.Config{}, k)
	network := newCutter(t, srv.Addr().String(), 0, 0)
	network.calm.Store(true)
	c, err := client.Dial(within(t), "ws://"+network.ln.Addr().String()+"/volley", client.Config{
		Reconnect: client.Reconnect{Min: 10 * time.Millisecond, Max: 10 * time.Millisecond},
	})
	require.NoError(t, err)
	defer c.Close()
	var mine atomic.Int64
	resyncs := make(chan uint64, 1)
	r, err := c.JoinOrCreate(within(t), "board", nil, func(r *client.Room) {
		client.On(r, added, func(n int, _ client.Meta) { mine.Add(int64(n)) })
		client.On(r, sum, func(n int, _ client.Meta) { mine.Store(int64(n)) })
		r.OnResync(func(tick uint64) { resyncs <- tick })
		r.OnRejoin(func(int) { t.Error("joined again") })
	})
	require.NoError(t, err)
	other, err := srv.dial(t, "tcp", nil).JoinByID(within(t), r.ID(), nil)
	require.NoError(t, err)
	require.NoError(t, client.Emit(r, add, 1))
	require.Eventually(t, func() bool { return mine.Load() == 1 }, 5*time.Second, time.Millisecond)

	network.redirect("") // to nowhere
	answers := make(chan error, 1)
	require.NoError(t, client.Ask(r, plus, 10, func(_ int, err error) { answers <- err }))
	for i := range 8 {
		require.NoError(t, other.Batch(func() {
			for range 1000 { // all of them at once may be more than the room takes in one tick
				require.NoError(t, client.Emit(other, add, 100))
			}
		}))
		n, err := client.Request(within(t), other, plus, 100)
		require.NoError(t, err)
		require.Equal(t, 1+(i+1)*100_100, n)
	}
	network.redirect(srv.Addr().String())
	require.NotZero(t, <-resyncs)
	if err := <-answers; err != nil { // it was processed before the room began afresh with this client, or after
		require.ErrorIs(t, err, client.ErrReplyLost)
	}
	require.NoError(t, client.Emit(other, add, 1000))
	require.Eventually(t, func() bool { return mine.Load() == 801_811 }, 5*time.Second, time.Millisecond)
	require.EqualValues(t, 1, srv.Stats().Rooms.Resynced)
}
