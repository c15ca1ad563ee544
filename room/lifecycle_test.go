package room_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/room/roomtest"
	"github.com/volley-go/volley/tick"
)

// walk is a random walk through the lives of rooms and clients: everything that can go wrong does, now and then.
type walk struct {
	*roomtest.Bed
	t     *testing.T
	rng   *rand.Rand
	seed  uint64
	cfg   room.Config
	list  func() []room.Info
	games []*walker
	links []*walkLink
}

// walker is a game that misbehaves at random.
type walker struct {
	w      *walk
	room   *room.Room
	in     []*walkLink // as Join and Leave tell
	opened bool
	ended  int // calls of Close
	failed bool
	empty  time.Duration // when the last one left
}

type walkTicker struct{ *walker }

func (g walkTicker) Tick(tick.Tick) { g.misbehave(1000) }

// walkLink is one client's connection.
type walkLink struct {
	w      *walk
	game   *walker
	client *room.Client
	joined bool
	left   *codec.Error
	failed bool
	sent   uint64
	conn   int  // the number of its connection
	cut    bool // it has none
	away   bool // the game knows
	asked  bool // it has come back and was not answered yet
}

// walkConn is one of its connections.
type walkConn struct {
	*walkLink
	n int
}

func (l walkConn) dead() bool { return l.cut || l.n != l.conn }

func (l *walkLink) must(ok bool, what string) {
	if !ok {
		l.w.t.Fatalf("seed %d: link %+v: %s", l.w.seed, *l, what)
	}
}

func (l walkConn) Send(buf []byte, head int) error {
	l.must(l.dead() || l.joined && l.left == nil && !l.asked, "a frame before Joined or after Left")
	return nil
}
func (l walkConn) Pending() int { return 0 }
func (l walkConn) Joined(*room.Client, uint64) {
	l.must(!l.joined && l.left == nil, "Joined twice or after Left")
	l.joined = true
}
func (l walkConn) Left(_ uint32, why *codec.Error) {
	l.must(l.left == nil && why != nil, "Left twice")
	l.left, l.asked = why, false
}
func (l walkConn) Resumed(_ uint32, seq uint64) {
	if !l.dead() {
		l.must(l.asked && l.joined && l.left == nil && seq == l.sent, "Resumed, and nobody came back")
		l.asked = false
	}
}
func (l walkConn) Resync(uint32, uint64)                 { l.must(false, "begins afresh, and the game cannot") }
func (l *walkLink) Dropped(uint32, uint64, *codec.Error) {}
func (l *walkLink) Fail(*codec.Error)                    { l.failed = true }

// misbehave does something bad once in n times.
func (g *walker) misbehave(n int) {
	w := g.w
	if w.rng.IntN(n) > 0 {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		g.failed = true
		panic("a fault")
	case 1:
		g.room.Close("enough")
	case 2:
		for _, c := range g.room.Clients() {
			if w.rng.IntN(2) == 0 {
				c.Kick("out")
			}
		}
	case 3:
		g.room.Lock()
		g.room.Post(g.room.Unlock)
	case 4:
		g.room.After(time.Duration(w.rng.IntN(100))*time.Millisecond, func() { g.misbehave(2) })
	}
}

func (w *walk) make(r *room.Room) *walker {
	g := &walker{w: w, room: r, empty: w.Now()}
	w.games = append(w.games, g)
	g.misbehave(40)
	return g
}

func (g *walker) Open() error {
	g.misbehave(40)
	if g.w.rng.IntN(20) == 0 {
		return errors.New("not today")
	}
	g.opened = true
	return nil
}

func (g *walker) Join(c *room.Client) error {
	l := c.User().(*walkLink)
	l.game = g
	l.must(g.opened && g.ended == 0, "Join of a room that is not open")
	room.Emit(g.room, said, "somebody comes")
	g.misbehave(15)
	if g.w.rng.IntN(10) == 0 {
		return errors.New("no")
	}
	g.in = append(g.in, l)
	l.must(g.w.cfg.Capacity == 0 || len(g.in) <= g.w.cfg.Capacity, "more clients than seats")
	return nil
}

func (g *walker) Dropped(c *room.Client) {
	l := c.User().(*walkLink)
	l.must(slices.Contains(g.in, l) && !l.away && !c.Connected(), "Dropped twice, or not in")
	l.away = true
	g.misbehave(15)
}

func (g *walker) Resumed(c *room.Client) {
	l := c.User().(*walkLink)
	l.must(slices.Contains(g.in, l) && l.away && c.Connected(), "Resumed without Dropped")
	l.away = false
	g.misbehave(15)
}

func (g *walker) Leave(c *room.Client) {
	l := c.User().(*walkLink)
	l.away = false
	l.must(slices.Contains(g.in, l) && g.ended == 0, "Leave without Join")
	g.in = slices.DeleteFunc(g.in, func(o *walkLink) bool { return o == l })
	g.empty = g.w.Now()
	room.Emit(g.room, said, "somebody goes")
	room.Emit(c, said, "you go")
	g.misbehave(15)
}

func (g *walker) Close() {
	g.ended++
	if len(g.in) > 0 || g.ended > 1 {
		g.w.t.Fatalf("seed %d: Close %d with %d clients", g.w.seed, g.ended, len(g.in))
	}
	g.misbehave(10)
}

func newWalk(t *testing.T, seed uint64, rate int) *walk {
	w := &walk{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, uint64(rate)))}
	w.cfg = room.Config{Rate: rate, Capacity: w.rng.IntN(4), Grace: 200 * time.Millisecond}
	w.cfg.EmptyFor = []time.Duration{0, 300 * time.Millisecond, -1}[w.rng.IntN(3)]
	if rate > 0 {
		k := room.Define("walk", func(r *room.Room) walkTicker { return walkTicker{w.make(r)} }, w.cfg)
		room.On(k, say, func(g walkTicker, c *room.Client, _ string) { g.misbehave(10) })
		w.Bed, w.list = newBed(quiet{t}, k), k.Rooms
	} else {
		k := room.Define("walk", w.make, w.cfg)
		room.On(k, say, func(g *walker, c *room.Client, _ string) { g.misbehave(10) })
		w.Bed, w.list = newBed(quiet{t}, k), k.Rooms
	}
	return w
}

// round does a few things from outside, lets a tick pass, and looks.
func (w *walk) round() {
	for range w.rng.IntN(5) {
		switch w.rng.IntN(6) {
		case 0:
			w.join(codec.How(w.rng.IntN(3)), "walk")
		case 1:
			if len(w.games) > 0 {
				w.join(codec.JoinByID, w.games[w.rng.IntN(len(w.games))].room.ID())
			}
		case 2:
			if len(w.links) > 0 {
				w.links[w.rng.IntN(len(w.links))].client.Leave(nil)
			}
		case 3:
			if len(w.links) > 0 {
				l := w.links[w.rng.IntN(len(w.links))]
				if l.cut || l.asked {
					continue
				}
				l.sent++
				p := codec.Packet{Index: codec.NoIndex, Name: []byte("say"), Payload: []byte("\xa2hi")}
				l.must(l.client.Receive(l.sent, 0, []codec.Packet{p}) == nil, "refused a packet")
			}
		case 4:
			if len(w.links) > 0 {
				w.links[w.rng.IntN(len(w.links))].cutOff()
			}
		case 5:
			if len(w.links) > 0 {
				w.links[w.rng.IntN(len(w.links))].comeBack()
			}
		}
	}
	w.Run(50 * time.Millisecond)
	w.verify()
}

func (l *walkLink) cutOff() {
	if l.joined && l.left == nil && !l.cut {
		l.cut, l.asked = true, false
		l.client.Drop(&codec.Error{Code: codec.IdleTimeout})
	}
}

// comeBack goes on over another connection; the one before may live.
func (l *walkLink) comeBack() {
	if l.joined && l.left == nil {
		l.conn++
		l.cut, l.asked = false, true
		l.client.Resume(walkConn{l, l.conn}, codec.Processed{Tick: l.client.Room().Tick()})
	}
}

func (w *walk) join(how codec.How, name string) {
	before := w.infos()
	l := &walkLink{w: w}
	c, refused := w.Host.Join(room.JoinRequest{How: how, Name: name, Link: walkConn{l, 0}, User: l})
	if refused == nil {
		l.client = c
		w.links = append(w.links, l)
		info, ok := before[c.Room().ID()]
		l.must(!ok || (!info.Locked && (info.Capacity == 0 || info.Clients < info.Capacity)), "got into a room that is locked or full")
		l.must(how != codec.Create || !ok, "Create joined a room")
		return
	}
	info, ok := before[name]
	switch {
	case refused.Code == codec.RoomLocked && ok && info.Locked:
	case refused.Code == codec.RoomFull && ok && info.Clients == info.Capacity:
	case refused.Code == codec.NoSuchRoom && how == codec.JoinByID && !ok:
	case refused.Code == codec.NoSuchRoom && how == codec.Join:
		for _, info := range before {
			l.must(info.Locked || info.Capacity > 0 && info.Clients >= info.Capacity, "a room was open and not found")
		}
	default:
		w.t.Fatalf("seed %d: join %v %s refused: %v, with %+v", w.seed, how, name, refused, before)
	}
}

func (w *walk) infos() map[string]room.Info {
	infos := map[string]room.Info{}
	for _, info := range w.list() {
		infos[info.ID] = info
	}
	return infos
}

// verify checks what must hold when a tick has passed.
func (w *walk) verify() {
	infos := w.infos()
	require.Equal(w.t, len(infos), w.Host.Stats().Rooms, "seed %d", w.seed)
	for _, g := range w.games {
		info, runs := infos[g.room.ID()]
		if !runs {
			require.True(w.t, g.failed || !g.opened || g.ended == 1, "seed %d: a room ended without Close", w.seed)
			continue
		}
		require.False(w.t, g.failed || !g.opened || g.ended > 0, "seed %d: a room runs on", w.seed)
		require.Equal(w.t, len(g.in), info.Clients, "seed %d: seats", w.seed)
		if len(g.in) == 0 && w.cfg.EmptyFor >= 0 {
			require.LessOrEqual(w.t, w.Now()-g.empty, w.cfg.EmptyFor+200*time.Millisecond, "seed %d: empty and open", w.seed)
		}
	}
	away := 0
	for _, l := range w.links {
		if l.away && l.left == nil {
			away++
		}
		l.must(!l.asked, "came back and was not answered")
		l.must(l.left != nil || l.cut == l.away, "is away, or the game thinks so")
		in := l.game != nil && slices.Contains(l.game.in, l) && !l.game.failed
		l.must(in == (l.joined && l.left == nil), "is in and out")
		l.must(l.joined || l.left != nil, "was not answered")
		l.must(!l.failed, "failed")
	}
	require.Equal(w.t, away, w.Host.Stats().Away, "seed %d: clients that are away", w.seed)
	w.links = slices.DeleteFunc(w.links, func(l *walkLink) bool { return l.left != nil && w.rng.IntN(3) == 0 })
}

// quiet is a test whose log is not written, for rooms that panic all the time.
type quiet struct{ testing.TB }

func (quiet) Output() io.Writer { return io.Discard }

func TestLifecycleRandomWalk(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		for seed := range uint64(100) {
			w := newWalk(t, seed, rate)
			for range 100 {
				w.round()
			}
			w.Close(nil)
			require.Zero(t, w.Host.Stats().Away, "seed %d", seed)
			for _, l := range w.links {
				l.must(l.left != nil, "is still in after the end")
			}
			require.Zero(t, w.Host.Stats().Rooms, "seed %d", seed)
		}
	})
}

// waiting is a link whose user waits for its room's answers.
type waiting struct{ joined, left chan struct{} }

func (waiting) Send([]byte, int) error               { return nil }
func (waiting) Pending() int                         { return 0 }
func (w waiting) Joined(*room.Client, uint64)        { close(w.joined) }
func (w waiting) Left(uint32, *codec.Error)          { close(w.left) }
func (waiting) Dropped(uint32, uint64, *codec.Error) {}
func (waiting) Fail(*codec.Error)                    {}
func (waiting) Resumed(uint32, uint64)               {}
func (waiting) Resync(uint32, uint64)                {}

func TestConcurrentJoinsNeverPassTheCapacity(t *testing.T) {
	const capacity, goroutines, rounds = 3, 12, 40
	sched := tick.New(tick.Config{Workers: 2, Logger: slog.New(slog.DiscardHandler)})
	defer sched.Close()
	var most atomic.Int64
	k := room.Define("crowd", func(r *room.Room) *crowd { return &crowd{room: r, most: &most} }, room.Config{Capacity: capacity})
	h := room.NewHost(room.HostConfig{Scheduler: sched}, k)
	_, err := k.Create(nil)
	require.NoError(t, err)
	var wg, all sync.WaitGroup
	all.Add(goroutines)
	for i := range goroutines {
		wg.Go(func() {
			for n := range rounds {
				l := waiting{joined: make(chan struct{}), left: make(chan struct{})}
				c, refused := h.Join(room.JoinRequest{How: codec.JoinOrCreate, Name: "crowd", Link: l})
				if refused != nil {
					t.Errorf("refused: %v", refused)
					return
				}
				if n == 0 { // everybody is in at once, so that at least one room is full
					<-l.joined
					all.Done()
					all.Wait()
				}
				if (i+n)%3 > 0 {
					<-l.joined
				}
				for _, info := range k.Rooms() {
					if info.Clients > capacity {
						t.Errorf("%d seats of %d", info.Clients, capacity)
					}
				}
				c.Leave(nil)
				<-l.left
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(capacity), most.Load())
	require.NoError(t, h.Close(t.Context(), nil))
	assert.Zero(t, h.Stats().Rooms)
	_, refused := h.Join(room.JoinRequest{How: codec.JoinOrCreate, Name: "crowd", Link: waiting{}})
	assert.Equal(t, codec.RoomClosed, refused.Code)
	_, err = k.Create(nil)
	assert.ErrorIs(t, err, refused)
}

// crowd is a game that remembers how many it had at most.
type crowd struct {
	room *room.Room
	most *atomic.Int64
}

func (g *crowd) Join(*room.Client) error {
	if n := int64(len(g.room.Clients())); n > g.most.Load() {
		g.most.Store(n)
	}
	return nil
}
func (g *crowd) Leave(*room.Client) {}

func TestHostCloseSaysWhoIsLeft(t *testing.T) {
	s := newSet(t, room.Config{Rate: 1}, nil)
	ann := s.Join("hall", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Host.Close(ctx, &codec.Error{Code: codec.RoomClosed, Reason: "good night"})
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "1 rooms")
	s.Run(second)
	require.NoError(t, s.Host.Close(t.Context(), nil))
	assert.Equal(t, "room-closed: good night", fmt.Sprint(ann.Left))
	assert.True(t, s.halls[0].closed)
}

func TestARoomThatEndsTakesNobodyNew(t *testing.T) {
	modes(t, func(t *testing.T, rate int) {
		s := newSet(t, room.Config{Rate: rate}, nil)
		ann := s.Join("hall", nil)
		var bob, cat *roomtest.Player
		do(s.Bed, s.halls[0].room, func() {
			s.halls[0].room.Close("over")
			bob = s.Ask(codec.JoinOrCreate, "hall", nil, nil)
			cat = s.Ask(codec.JoinByID, s.halls[0].room.ID(), nil, nil)
		})
		assert.Equal(t, codec.RoomClosed, ann.Left.Code)
		assert.Equal(t, codec.NoSuchRoom, cat.Left.Code)
		assert.True(t, bob.Joined)
		assert.NotSame(t, ann.Client.Room(), bob.Client.Room())
	})
}
