package room

import "encoding/binary"

// ref says that a segment of the current tick is for a client; the client's refs are a chain. So who gets something of its
// own in a tick finds it without a look at what is for others.
type ref struct {
	segment uint32 // counted from the tick's first
	next    uint32 // the place of the client's next ref, plus one; 0: this is the last
}

// target notes that the segment which is about to be committed is for c, and perhaps others that are named.
func (r *Room) target(c *Client) {
	l := &r.log
	n := uint32(l.end() - l.tick)
	switch {
	case c.lastRef == 0:
		r.targets = append(r.targets, c)
		c.firstRef = uint32(len(l.refs)) + 1
	case l.refs[c.lastRef-1].segment == n:
		return // it is named twice
	default:
		l.refs[c.lastRef-1].next = uint32(len(l.refs)) + 1
	}
	l.refs = append(l.refs, ref{segment: n})
	c.lastRef = uint32(len(l.refs))
}

// forgetTargets ends what target noted, with the tick.
func (r *Room) forgetTargets() {
	for i, c := range r.targets {
		c.firstRef, c.lastRef = 0, 0
		r.targets[i] = nil
	}
	r.targets = r.targets[:0]
}

// hearing walks over the segments of [from, end) that are for one client, in order.
type hearing struct {
	l         *log
	id        uint32
	from, end uint64
	near      bool     // all in the current tick: by its common segments and the client's refs
	common    []uint32 // those still to look at
	ref       uint32   // the place of the next one, plus one
}

func (l *log) hearing(c *Client, from, end uint64) hearing {
	return hearing{l: l, id: c.id, from: from, end: end, near: from >= l.tick, common: l.common, ref: c.firstRef}
}

// next returns the next segment and its number; nil: there is none.
func (h *hearing) next() (uint64, *segment) {
	if !h.near {
		return h.scan()
	}
	for {
		var at uint32
		switch {
		case len(h.common) > 0 && (h.ref == 0 || h.common[0] < h.l.refs[h.ref-1].segment):
			at, h.common = h.common[0], h.common[1:]
		case h.ref > 0:
			at, h.ref = h.l.refs[h.ref-1].segment, h.l.refs[h.ref-1].next
		default:
			return 0, nil
		}
		n := h.l.tick + uint64(at)
		if n >= h.end {
			return 0, nil
		}
		if s := h.l.at(n); n >= h.from && h.l.hears(s, h.id) {
			return n, s
		}
	}
}

// scan is next for clients that are behind: it looks at everything.
func (h *hearing) scan() (uint64, *segment) {
	for h.from < h.end {
		n := h.from
		h.from++
		if s := h.l.at(n); h.l.hears(s, h.id) {
			return n, s
		}
	}
	return 0, nil
}

// hears reports whether s, whose bytes are in l, is for the client numbered id.
func (l *log) hears(s *segment, id uint32) bool {
	switch s.scope {
	case toAll:
		return true
	case toOne:
		return s.who == id
	case toOthers:
		return s.who != id
	}
	set := l.bytes[s.start():s.at]
	for ; len(set) > 0; set = set[4:] {
		if binary.BigEndian.Uint32(set) == id {
			return s.scope == toSet
		}
	}
	return s.scope == toRest
}
