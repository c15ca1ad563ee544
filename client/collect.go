package client

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/volley-go/volley/room"
)

// Inbox keeps the events of one name, for tests and for code that prefers to wait. It grows without bound.
type Inbox[T any] struct {
	room *Room
	name string

	mu   sync.Mutex
	all  []T
	more chan struct{} // closed when something is added; nil: nobody waits
}

// Collect keeps each event of this name from now on. In a join's setup that is from the first:
//
//	var states *client.Inbox[State]
//	r, err := c.JoinOrCreate(ctx, "pong", nil, func(r *client.Room) { states = client.Collect(r, state) })
//	first, err := states.Wait(ctx, 1)
func Collect[T any](r *Room, ev room.Event[T]) *Inbox[T] {
	b := &Inbox[T]{room: r, name: string(ev)}
	On(r, ev, func(v T, _ Meta) { b.add(v) })
	return b
}

func (b *Inbox[T]) add(v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, v)
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
}

// All returns what has come so far.
func (b *Inbox[T]) All() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.all)
}

// Wait waits until n events have come, from the beginning, and returns the first n. If ctx or the membership ends before, it
// returns those that have come, and why. Not in callbacks.
func (b *Inbox[T]) Wait(ctx context.Context, n int) ([]T, error) {
	for over := false; ; {
		b.mu.Lock()
		if len(b.all) >= n {
			defer b.mu.Unlock()
			return slices.Clone(b.all[:n]), nil
		}
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mu.Unlock()
		if over {
			return b.All(), fmt.Errorf("client: %d of %d events %s came: %w", len(b.All()), n, b.name, b.room.Err())
		}
		select {
		case <-more:
		case <-b.room.Done():
			over = true
		case <-ctx.Done():
			return b.All(), fmt.Errorf("client: %d of %d events %s came: %w", len(b.All()), n, b.name, ctx.Err())
		}
	}
}
