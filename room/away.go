package room

import (
	"slices"
	"time"

	"github.com/volley-go/volley/codec"
)

// A client whose connection is lost is away: it keeps its seat for Config.Grace and its cursor in the log. docs/reliability.md
// has the states in a picture.

// change is what became of a client's connection. One at most waits in the inbox for each client: a newer one takes its place,
// so that who comes and goes all the time costs the room no more than who does it once.
type change struct {
	link  Link // the connection that has taken over; nil: the connection is lost
	from  codec.Processed
	again bool // before it is lost now, one had taken over
}

// Drop tells the room that the client's connection was lost, and that it may come back over another one: its seat is kept for
// Config.Grace. In a kind without that it is a leave, for the reason why. Any goroutine.
//
// For servers, not for games.
func (c *Client) Drop(why *codec.Error) {
	if c.room.kind.cfg.Grace < 0 {
		c.Leave(why)
		return
	}
	c.room.changing(c, &change{})
}

// Resume tells the room that the client goes on over another connection, and how far it is. The room answers there: by Resumed,
// by Joined if the client has had no answer to its join, or by Left. Until then it may still use the link before, also to say
// Left. Any goroutine.
//
// For servers, not for games.
func (c *Client) Resume(link Link, from codec.Processed) {
	c.room.changing(c, &change{link: link, from: from})
}

func (r *Room) changing(c *Client, ch *change) {
	in := &r.inbox
	in.mu.Lock()
	if in.closed != nil || c.left {
		in.mu.Unlock()
		return // it is about to hear that it has left
	}
	old := c.change
	first := old == nil
	ch.again = !first && ch.link == nil && (old.link != nil || old.again)
	c.change = ch
	if first {
		in.put(item{kind: itemChange, client: c}, nil)
	}
	in.mu.Unlock()
	if first {
		r.wake(false)
	}
}

// changed takes the change that is about c, and the number of the last packet of c's that has arrived.
func (in *inbox) changed(c *Client) (ch *change, seq uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	ch, c.change = c.change, nil
	return ch, c.next - 1
}

// changeLink does what became of a client's connection.
func (r *Room) changeLink(c *Client) {
	ch, seq := r.inbox.changed(c)
	switch {
	case c.state != live: // it was told why, or will be at the tick's end
	case ch.link != nil:
		r.carryOn(c, ch, seq)
	case !c.away && r.closing == nil:
		r.lose(c)
	case c.away && ch.again: // its time begins anew
		c.rare.grace.Stop()
		r.restart(c.rare.grace, r.kind.cfg.Grace)
	}
}

// lose keeps the seat of a client whose connection is lost.
func (r *Room) lose(c *Client) {
	c.away = true
	if !c.lagging && !c.fallen {
		r.lag(c, r.log.tick)
	}
	grace := r.kind.cfg.Grace
	counts := &r.kind.host.counts
	counts.away.Add(1)
	c.rarely().grace = r.After(grace, func() {
		counts.expired.Add(1)
		r.drop(c, codec.Errorf(codec.ResumeFailed, "nobody came back within %v", grace.Round(time.Millisecond)))
	})
	if r.kind.hooks.dropped {
		r.game.(dropper).Dropped(c)
	}
}

// noGrace ends the time that a client which is away has: it is back, or it leaves.
func (r *Room) noGrace(c *Client) {
	if c.rare != nil && c.rare.grace != nil {
		c.rare.grace.Stop()
		c.rare.grace = nil
		r.kind.host.counts.away.Add(-1)
	}
}

// carryOn goes on with a client over another connection, whether or not the one before is known to be lost. seq is its last
// packet that has arrived.
func (r *Room) carryOn(c *Client, ch *change, seq uint64) {
	c.link = ch.link
	cursor, whole := r.cursorFor(c, ch.from)
	if !whole && !r.kind.hooks.resync {
		c.fallen, c.lagging = true, false
		c.Leave(codec.Errorf(codec.ResumeFailed, "room %s does not remember as far back as that", r.id))
		return
	}
	was := c.away
	r.noGrace(c)
	c.away = false
	if ch.from.Joining {
		c.link.Joined(c, c.since)
	} else {
		c.hear(ch.from.Tick)
		c.link.Resumed(c.channel, seq)
	}
	if c.acked = 0; c.applied > 0 {
		r.acknowledge(c)
	}
	if whole {
		r.lag(c, cursor)
	} else {
		r.fall(c)
	}
	r.kind.host.counts.resumed.Add(1)
	if was && r.kind.hooks.resumed && r.closing == nil {
		r.game.(resumer).Resumed(c)
	}
}

// cursorFor returns the cursor of a client that is as far as from says, and whether the log still has all that comes after it.
func (r *Room) cursorFor(c *Client, from codec.Processed) (cursor uint64, whole bool) {
	l := &r.log
	switch {
	case c.fallen:
		return 0, false
	case from.Joining:
		return c.floor, c.floor >= l.first
	case c.afresh && from.Tick < c.since:
		return 0, false // it has not heard of its fresh beginning
	case from.Tick >= c.sent && c.lagging: // all that its connection was ever given has been processed
		return c.cursor, true
	case from.Tick >= c.sent:
		return l.tick, true
	}
	cursor, known := l.after(from.Tick)
	return max(cursor, c.floor), known && (c.floor >= l.first || from.Tick >= l.lost)
}

// fall notes that a client is off the log and is to begin afresh, when its connection is ready.
func (r *Room) fall(c *Client) {
	c.fallen, c.lagging = true, false
	if !slices.Contains(r.behind, c) {
		r.behind = append(r.behind, c)
	}
}

// freshen has those begin afresh that are off the log and whose connections are ready. They do so by way of the inbox, because
// connections are not part of what a replay repeats.
func (r *Room) freshen() {
	if len(r.behind) == 0 {
		return
	}
	r.behind = slices.DeleteFunc(r.behind, func(c *Client) bool { return c.state != live || !c.fallen || c.away })
	for _, c := range r.behind {
		if rare := c.rarely(); !rare.asked && c.link.Pending() == 0 {
			rare.asked = r.receive(item{kind: itemResync, client: c}, nil)
		}
	}
}

// resync begins afresh with a client: what it knows is void, and the game tells it anew.
func (r *Room) resync(c *Client) {
	if c.rare != nil {
		c.rare.asked = false
	}
	if c.state != live || c.away || !c.fallen || r.closing != nil {
		return
	}
	c.fallen, c.afresh = false, true
	c.floor, c.since = r.log.end(), r.tick-1
	r.lag(c, c.floor)
	r.kind.host.counts.resynced.Add(1)
	c.link.Resync(c.channel, c.since)
	r.game.(resyncer).Resync(c)
}
