package room

import (
	"context"
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
)

// drainPoll is how often Drain looks whether rooms are left, and tells those that could not be told before.
const drainPoll = 5 * time.Millisecond

// Close ends every room with that reason (nil: codec.RoomClosed) and takes no more joins. It waits for the rooms, their Close
// hooks included, until ctx ends, and then says how many are left.
func (h *Host) Close(ctx context.Context, why *codec.Error) error {
	return h.Drain(ctx, time.Time{}, why)
}

// Drain is a Close that lets rooms finish: those whose games have a hook Drain go on until the games close them, or until the
// deadline, which should come well before ctx ends. The others end at once.
func (h *Host) Drain(ctx context.Context, deadline time.Time, why *codec.Error) error {
	h.closed.Store(true)
	if why == nil {
		why = errClosed
	}
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	told := map[*Room]bool{}
	for {
		left := time.Until(deadline)
		if left <= 0 {
			h.stopKeeper()
		}
		for _, k := range h.kinds {
			for _, r := range k.directory.all() {
				switch {
				case left <= 0 || !k.hooks.drain:
					r.Post(func() { r.end(why) })
				case !told[r]:
					told[r] = r.Post(func() { r.drain(left) })
				}
			}
		}
		if h.rooms.Load() == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("room: %d rooms did not end in time: %w", h.rooms.Load(), ctx.Err())
		case <-poll.C:
		}
	}
	h.stopKeeper()
	return nil
}

// stopKeeper ends the timers of event-driven rooms.
func (h *Host) stopKeeper() {
	if h.task != nil {
		h.task.Stop()
	}
}

// drain tells the game that the server is about to end.
func (r *Room) drain(left time.Duration) {
	if r.draining || r.closing != nil {
		return
	}
	r.draining = true
	r.kind.directory.change(r, func(l *listing) { l.ending = true })
	r.game.(drainer).Drain(r.Now().Add(left))
}
