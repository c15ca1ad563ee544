package room

import (
	"math"
	"time"
)

// What a room was told to forget by every client that may come back is forgotten; the rest stays, within Config.Log.

// sweepEvery is how often, in the room's time, a room looks for what it need not keep any more, beside the times at which that
// costs little.
const sweepEvery = 5 * time.Second

// logPerClient is what each client adds to the default of Config.Log: the log also holds what is for single clients.
const logPerClient = 4 << 10

// logLimit is how many bytes of earlier ticks the log may hold.
func (r *Room) logLimit() int {
	if limit := r.kind.cfg.Log; limit > 0 {
		return limit
	}
	return defaultLog + len(r.clients)*logPerClient
}

// trim forgets what nobody needs any more, and what is beyond the limit: who still needed that has fallen off.
func (r *Room) trim() {
	l := &r.log
	r.sweeping = r.time >= r.sweepAt
	if r.sweeping {
		r.sweepAt = later(r.time, sweepEvery)
	}
	keep := l.end()
	behind := r.laggards[:0]
	for _, c := range r.laggards {
		if c.lagging {
			keep = min(keep, c.cursor)
			behind = append(behind, c)
		}
	}
	clear(r.laggards[len(behind):])
	r.laggards = behind
	if len(l.segments) > 0 && r.kind.cfg.Grace >= 0 {
		keep = min(keep, r.unheard())
	}
	if oldest := l.oldest(r.logLimit()); oldest > keep {
		keep = oldest
		r.cutOff(keep)
	}
	l.trim(keep)
	r.freshen()
}

// unheard returns the first number that some client may have to be sent again: its connection was given it, and it has not said
// that it has processed it. It looks at all clients, but only when as many frames have been sent as there are clients, so that it
// adds little to any frame, or at a sweep; otherwise it returns what the log has.
func (r *Room) unheard() uint64 {
	l := &r.log
	if int(r.unswept) < len(r.clients) && !r.sweeping {
		return l.first
	}
	r.unswept = 0
	n, tick := l.end(), uint64(math.MaxUint64)
	for _, c := range r.clients {
		heard := c.heard.Load()
		switch {
		case c.fallen:
		case heard >= c.sent: // it has all that its connection was given
			if c.floor = l.end(); c.lagging {
				c.floor = c.cursor
			}
		case heard <= c.since:
			n = min(n, c.floor)
		default:
			tick = min(tick, heard)
		}
	}
	if tick < math.MaxUint64 {
		after, _ := l.after(tick)
		n = min(n, after)
	}
	return n
}

// sweepLater has an event-driven room run again if it keeps memory for its log; one with a rate runs anyway.
func (r *Room) sweepLater() {
	if r.kind.cfg.Rate == 0 && r.log.own && r.sweeper == nil && r.closing == nil {
		r.sweeper = r.After(r.sweepAt-r.time, func() { r.sweeper = nil })
	}
}

// cutOff parts with the clients whose cursor is before number keep.
func (r *Room) cutOff(keep uint64) {
	for _, c := range r.laggards {
		if c.lagging && c.cursor < keep {
			r.fallOff(c)
		}
	}
}

// moveIn takes places for segments and bytes, unless the room has its own.
func (l *log) moveIn(w *workspace) {
	lend(&l.segments, &w.segments)
	lend(&l.bytes, &w.bytes)
}

// moveOut gives the workspace's places back, copying what stays into places of the log's own, of a fitting size. Those stay for
// the ticks to come, full or empty, until a sweep finds them too large.
func (l *log) moveOut(w *workspace, sweep bool) {
	switch {
	case len(l.segments) == 0 && (sweep || !l.own):
		if l.own {
			l.segments, l.bytes, l.own = nil, nil, false
		}
		giveBack(&l.segments, &w.segments)
		giveBack(&l.bytes, &w.bytes)
	case !l.own:
		w.segments, l.segments = l.segments[:0], fitting(l.segments)
		w.bytes, l.bytes = l.bytes[:0], fitting(l.bytes)
		l.own = true
	case sweep && (cap(l.bytes) > 4*len(l.bytes)+1<<10 || cap(l.segments) > 4*len(l.segments)+32):
		l.segments, l.bytes = fitting(l.segments), fitting(l.bytes)
	}
}

// fitting returns a copy of list with some place to grow.
func fitting[T any](list []T) []T { return append(make([]T, 0, len(list)+len(list)/2+8), list...) }
