package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How much of the demo there may be. Whoever sees the page may ask for that.
const (
	maxRooms = 24
	maxBots  = 24 // in each
)

const (
	lookEvery = time.Second // for bots that are gone
	joinLimit = 10 * time.Second
)

// crowd keeps the demo's rooms full of bots.
type crowd struct {
	// Static after construction.
	open  func() (id string, err error)                     // makes a room
	letIn func(ctx context.Context, id string) (bot, error) // sends a bot there
	wake  chan struct{}                                     // has room for one

	mu    sync.Mutex
	want  Ask      // guarded by mu
	rooms []string // the ids of those that have bots; guarded by mu

	dens []*den // of the goroutine that runs
}

// den is a room with its bots.
type den struct {
	id   string
	bots []bot
}

// newCrowd makes one that has nothing to do yet.
func newCrowd(open func() (string, error), letIn func(ctx context.Context, id string) (bot, error)) *crowd {
	return &crowd{open: open, letIn: letIn, wake: make(chan struct{}, 1)}
}

// ask sets how many rooms and bots there are to be. Any goroutine.
func (c *crowd) ask(a Ask) {
	a.Rooms, a.Bots = max(0, min(maxRooms, a.Rooms)), max(1, min(maxBots, a.Bots))
	c.mu.Lock()
	c.want = a
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// demo is what was asked for. Any goroutine.
func (c *crowd) demo() Demo {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := Demo{Rooms: c.want.Rooms, Bots: c.want.Bots, MaxRooms: maxRooms, MaxBots: maxBots}
	if len(c.rooms) > 0 {
		d.Watch = c.rooms[0]
	}
	return d
}

// run sees to it until ctx ends.
func (c *crowd) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for ctx.Err() == nil {
		if err := c.settle(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("dashboard: the demo has fewer bots than it should", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-look.C:
		}
	}
	c.shrink(Ask{})
}

// settle makes of what there is what was asked for. If that changes meanwhile, it ends early, and is called again.
func (c *crowd) settle(ctx context.Context) error {
	c.mu.Lock()
	want := c.want
	c.mu.Unlock()
	c.mourn()
	c.shrink(want)
	for i := 0; i < want.Rooms && len(c.wake) == 0; i++ {
		if i == len(c.dens) {
			id, err := c.open()
			if err != nil {
				return err
			}
			c.dens = append(c.dens, &den{id: id})
		}
		if err := c.fill(ctx, c.dens[i], want.Bots); err != nil {
			c.mourn() // an empty room is not tried again
			return err
		}
	}
	return nil
}

// fill lets bots into a room.
func (c *crowd) fill(ctx context.Context, d *den, bots int) error {
	for len(d.bots) < bots && len(c.wake) == 0 && ctx.Err() == nil {
		joining, cancel := context.WithTimeout(ctx, joinLimit)
		b, err := c.letIn(joining, d.id)
		cancel()
		if err != nil {
			return err
		}
		if d.bots = append(d.bots, b); len(d.bots) == 1 {
			c.publish()
		}
	}
	return nil
}

// shrink sends away who is too many.
func (c *crowd) shrink(to Ask) {
	for i, d := range c.dens {
		keep := to.Bots
		if i >= to.Rooms {
			keep = 0
		}
		for len(d.bots) > keep {
			last := len(d.bots) - 1
			_ = d.bots[last].Close()
			d.bots = d.bots[:last]
		}
	}
	if len(c.dens) > to.Rooms {
		c.dens = c.dens[:to.Rooms]
	}
	c.publish()
}

// mourn forgets bots that are gone, and rooms without any.
func (c *crowd) mourn() {
	var dens []*den
	for _, d := range c.dens {
		var alive []bot
		for _, b := range d.bots {
			select {
			case <-b.Done():
				_ = b.Close()
			default:
				alive = append(alive, b)
			}
		}
		if d.bots = alive; len(alive) > 0 {
			dens = append(dens, d)
		}
	}
	c.dens = dens
	c.publish()
}

// publish says which rooms there are.
func (c *crowd) publish() {
	var ids []string
	for _, d := range c.dens {
		if len(d.bots) > 0 {
			ids = append(ids, d.id)
		}
	}
	c.mu.Lock()
	c.rooms = ids
	c.mu.Unlock()
}
