package volley_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// ledger is a game that counts: each of its clients sends numbered events and requests, and is sent numbered events, numbered
// requests, and a latest-wins value. Whatever is missing, twice or out of order is a fault.
type ledger struct {
	room   *room.Room
	faults *faults
	seats  map[*room.Client]*seat
}

// seat is what the ledger knows of one client.
type seat struct {
	took, asked int // the last event and the last request of the client's
	told, asks  int // the last event and the last request to the client
	answered    int // how many of those were answered
}

// faults are what went wrong, the first ones of them.
type faults struct {
	mu   sync.Mutex
	list []string
	n    int
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n++; f.n <= 20 {
		f.list = append(f.list, fmt.Sprintf(format, args...))
	}
}

func (f *faults) want(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Zero(t, f.n, strings.Join(f.list, "\n"))
}

const (
	entry  room.Event[int]        = "entry"  // client → room: 1, 2, 3 …
	stock  room.Event[int]        = "stock"  // room → client: 1, 2, 3 …
	level  room.Event[int]        = "level"  // room → all, latest wins
	square room.Call[int, int]    = "square" // client → room
	cube   room.Call[int, int]    = "cube"   // room → client
	more   room.Event[int]        = "more"   // client → room: send that many
	total  room.Call[int, [4]int] = "total"  // client → room: the seat's numbers
)

func (l *ledger) Join(c *room.Client) error {
	l.seats[c] = &seat{}
	return nil
}

func (l *ledger) Leave(c *room.Client) { delete(l.seats, c) }

func (l *ledger) Entry(c *room.Client, n int) {
	s := l.seats[c]
	if s.took++; n != s.took {
		l.faults.add("client %d: event %d came where %d was due", c.ID(), n, s.took)
		s.took = n
	}
}

func (l *ledger) Square(c *room.Client, n int) (int, error) {
	s := l.seats[c]
	if s.asked++; n != s.asked {
		l.faults.add("client %d: request %d came where %d was due", c.ID(), n, s.asked)
		s.asked = n
	}
	return n * n, nil
}

func (l *ledger) More(c *room.Client, n int) {
	s := l.seats[c]
	for range n {
		s.told++
		room.Emit(c, stock, s.told)
	}
	room.EmitLatest(l.room, level, 1, int(l.room.Tick()))
	if s.asks-s.answered > 32 { // the room's bound is 64
		return
	}
	s.asks++
	asked := s.asks
	room.Ask(c, cube, asked, time.Minute, func(got int, err error) {
		if s.answered++; err != nil || got != asked*asked*asked {
			l.faults.add("client %d: the answer to request %d is %d, %v", c.ID(), asked, got, err)
		}
	})
}

func (l *ledger) Total(c *room.Client, _ int) ([4]int, error) {
	s := l.seats[c]
	return [4]int{s.took, s.asked, s.told, s.answered}, nil
}

// ticking is a ledger with ticks.
type ticking struct{ *ledger }

func (ticking) Tick(tick.Tick) {}

func ledgers(f *faults) []room.AnyKind {
	return []room.AnyKind{
		countIn(room.Define("ledger", func(r *room.Room) *ledger { return newLedger(r, f) }, room.Config{Capacity: 8, Log: 1 << 20})),
		countIn(room.Define("ticking", func(r *room.Room) ticking { return ticking{newLedger(r, f)} },
			room.Config{Rate: 100, Capacity: 8, Log: 1 << 20})),
	}
}

func newLedger(r *room.Room, f *faults) *ledger {
	return &ledger{room: r, faults: f, seats: map[*room.Client]*seat{}}
}

type counter interface {
	room.Game
	Entry(c *room.Client, n int)
	Square(c *room.Client, n int) (int, error)
	More(c *room.Client, n int)
	Total(c *room.Client, n int) ([4]int, error)
}

func countIn[G counter](k *room.Kind[G]) *room.Kind[G] {
	room.On(k, entry, func(g G, c *room.Client, n int) { g.Entry(c, n) })
	room.On(k, more, func(g G, c *room.Client, n int) { g.More(c, n) })
	room.Handle(k, square, func(g G, c *room.Client, n int) (int, error) { return g.Square(c, n) })
	room.Handle(k, total, func(g G, c *room.Client, n int) ([4]int, error) { return g.Total(c, n) })
	return k
}

// player is a client of a ledger, and what it has counted.
type player struct {
	name    string
	faults  *faults
	room    *client.Room
	resumed atomic.Int64

	mu       sync.Mutex
	entries  int // emitted
	asked    int // requests of ours
	answered int // their replies
	stocked  int // events that came
	cubed    int // requests that came
	level    int
}

func (p *player) setUp(r *client.Room) {
	client.On(r, stock, func(n int, _ client.Meta) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stocked++; n != p.stocked {
			p.faults.add("%s: event %d came where %d was due", p.name, n, p.stocked)
			p.stocked = n
		}
	})
	client.On(r, level, func(n int, _ client.Meta) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if n < p.level {
			p.faults.add("%s: level %d came after %d", p.name, n, p.level)
		}
		p.level = n
	})
	client.Handle(r, cube, func(n int) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.cubed++; n != p.cubed {
			p.faults.add("%s: request %d came where %d was due", p.name, n, p.cubed)
			p.cubed = n
		}
		return n * n * n, nil
	})
	r.OnResync(func(uint64) { p.faults.add("%s: resync", p.name) })
	r.OnRejoin(func(lost int) { p.faults.add("%s: joined again, %d lost", p.name, lost) })
	r.OnLeft(func(code codec.Code, reason string) {
		if code != codec.Left {
			p.faults.add("%s: left, %d %s", p.name, code, reason)
		}
	})
}

// play emits and asks at random until ctx ends.
func (p *player) play(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		switch p.mu.Lock(); rng.IntN(4) {
		case 0, 1:
			p.entries++
			if err := client.Emit(p.room, entry, p.entries); err != nil {
				p.entries--
			}
		case 2:
			p.ask()
		case 3:
			if err := client.Emit(p.room, more, rng.IntN(4)); err != nil {
				p.faults.add("%s: more: %v", p.name, err)
			}
		}
		p.mu.Unlock()
		time.Sleep(time.Duration(rng.IntN(8)) * time.Millisecond)
	}
}

// ask sends a request. Under mu.
func (p *player) ask() {
	n := p.asked + 1
	err := client.Ask(p.room, square, n, func(got int, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.answered++; err != nil || got != n*n || n != p.answered {
			p.faults.add("%s: answer %d, to request %d, is %d, %v", p.name, p.answered, n, got, err)
		}
	})
	if err == nil {
		p.asked = n
	}
}

// settle waits until the room has counted what this player has, and leaves.
func (p *player) settle(ctx context.Context) {
	for ctx.Err() == nil {
		sums, err := client.Request(ctx, p.room, total, 0)
		if err != nil {
			p.faults.add("%s: total: %v", p.name, err)
			return
		}
		p.mu.Lock()
		mine := [4]int{p.entries, p.asked, p.stocked, p.cubed}
		done := sums == mine && p.answered == p.asked
		p.mu.Unlock()
		if done {
			if err := p.room.Leave(ctx); err != nil {
				p.faults.add("%s: leave: %v", p.name, err)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.add("%s does not settle: %d events, %d requests, %d replies; %d events, %d requests came", p.name,
		p.entries, p.asked, p.answered, p.stocked, p.cubed)
}

// enter dials, through whatever cuts the dialling, and joins.
func (p *player) enter(t testing.TB, url, kind string) *client.Client {
	cfg := client.Config{DialTimeout: 2 * time.Second, Reconnect: client.Reconnect{
		Min: 5 * time.Millisecond, Max: 50 * time.Millisecond, Rand: rand.Float64,
	}}
	for {
		c, err := client.Dial(within(t), url, cfg)
		if err != nil {
			continue
		}
		c.OnState(func(s client.State) {
			if s.Phase == client.Connected && s.Resumed {
				p.resumed.Add(1)
			}
		})
		if p.room, err = c.JoinOrCreate(within(t), kind, nil, p.setUp); err != nil {
			p.faults.add("%s: join: %v", p.name, err)
		}
		return c
	}
}

// door is a ledger that counts who comes and goes.
type door struct {
	joins, leaves *atomic.Int64
	*ledger
}

func (d *door) Join(c *room.Client) error {
	d.joins.Add(1)
	return d.ledger.Join(c)
}

func (d *door) Leave(c *room.Client) {
	d.leaves.Add(1)
	d.ledger.Leave(c)
}

// visit joins, sends n numbered events, asks how many came, and leaves.
func (p *player) visit(ctx context.Context, c *client.Client, n int) {
	r, err := c.JoinOrCreate(ctx, "door", nil, func(r *client.Room) {
		r.OnRejoin(func(lost int) { p.faults.add("%s: joined again, %d lost", p.name, lost) })
	})
	if err != nil {
		p.faults.add("%s: join: %v", p.name, err)
		return
	}
	for i := range n {
		if err := client.Emit(r, entry, i+1); err != nil {
			p.faults.add("%s: emit: %v", p.name, err)
		}
	}
	if n > 0 {
		if sums, err := client.Request(ctx, r, total, 0); err != nil || sums[0] != n {
			p.faults.add("%s: %d events, %d came, %v", p.name, n, sums[0], err)
		}
	}
	if err := r.Leave(ctx); err != nil {
		p.faults.add("%s: leave: %v", p.name, err)
	}
}
