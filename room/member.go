package room

import (
	"slices"

	"github.com/volley-go/volley/codec"
)

// admit lets the game decide about a newcomer, whose seat is taken already.
func (r *Room) admit(c *Client) {
	if r.closing != nil {
		r.turnAway(c, r.closing)
		return
	}
	c.state = live
	c.cursor, c.floor, c.since = r.log.end(), r.log.end(), r.tick-1
	r.clients = append(r.clients, c)
	err := r.game.Join(c)
	if c.rare != nil {
		c.rare.options = nil // up to a frame's worth of memory
		if c.rare.asks == nil {
			c.rare = nil
		}
	}
	if err != nil {
		r.clients = slices.DeleteFunc(r.clients, func(o *Client) bool { return o == c })
		r.leavers = slices.DeleteFunc(r.leavers, func(l leaver) bool { return l.c == c })
		r.turnAway(c, asError(codec.JoinRefused, err))
		r.abandon(c)
		return
	}
	r.everJoined = true
	if r.emptyTimer != nil {
		r.emptyTimer.Stop()
		r.emptyTimer = nil
	}
	r.lag(c, c.cursor)
	c.link.Joined(c, c.since)
}

// turnAway ends a membership before it began.
func (r *Room) turnAway(c *Client, why *codec.Error) {
	c.state = gone
	r.kind.directory.release(r)
	c.link.Left(c.channel, why)
}

// drop makes a client leave: the game will be told, and then the client.
func (r *Room) drop(c *Client, why *codec.Error) {
	if c.state != live {
		return
	}
	c.state = leaving
	r.noGrace(c)
	if why == nil {
		why = &codec.Error{Code: codec.Left}
	}
	r.leavers = append(r.leavers, leaver{c: c, why: why})
}

// expel closes the connection of a client, which leaves.
func (r *Room) expel(c *Client, why *codec.Error) {
	c.link.Fail(why)
	r.drop(c, why)
}

// leaver is a client that was told to go.
type leaver struct {
	c     *Client
	why   *codec.Error
	until uint64 // the end of what it may still hear, once the game knows
}

// remove takes a leaver, of whom the game knows, out of the room.
func (r *Room) remove(c *Client) {
	if i := slices.Index(r.clients, c); i >= 0 {
		r.clients = slices.Delete(r.clients, i, i+1)
	}
	r.kind.directory.release(r)
}

// sendOff hands the leavers of whom the game knows what they may still hear, and tells them why they go.
func (r *Room) sendOff() {
	if len(r.leavers) == 0 {
		return
	}
	for _, l := range r.leavers[:r.told] {
		r.serveLeaver(l.c, l.until)
		l.c.state = gone
		l.c.link.Left(l.c.channel, l.why)
	}
	r.leavers, r.told = slices.Delete(r.leavers, 0, r.told), 0
	r.laggards = slices.DeleteFunc(r.laggards, isGone)
	r.behind = slices.DeleteFunc(r.behind, isGone)
	r.unacked = slices.DeleteFunc(r.unacked, isGone)
}

func isGone(c *Client) bool { return c.state == gone }

// sayGoodbye ends every membership and the game, within the closing room's last tick.
func (r *Room) sayGoodbye() {
	for len(r.clients) > 0 {
		for _, c := range r.clients {
			r.drop(c, r.closing)
		}
		r.settle()
	}
	if r.kind.hooks.close && r.ready {
		r.game.(closer).Close()
	}
}

// endIfEmpty ends a room that nobody is in any more, at once or after a while.
func (r *Room) endIfEmpty() {
	if r.draining && len(r.clients) == 0 {
		r.end(errClosed) // nobody will come
		return
	}
	if r.closing != nil || len(r.clients) > 0 || !(r.everJoined || r.forJoin) || r.emptyTimer != nil {
		return
	}
	switch wait := r.kind.cfg.EmptyFor; {
	case wait == 0:
		r.endNowIfEmpty()
	case wait > 0:
		r.emptyTimer = r.After(wait, func() {
			r.emptyTimer = nil
			r.endNowIfEmpty()
		})
	}
}

// endNowIfEmpty ends the room unless a join is on its way.
func (r *Room) endNowIfEmpty() {
	if len(r.clients) == 0 && r.kind.directory.removeIfEmpty(r) {
		r.end(codec.Errorf(codec.RoomClosed, "everyone left"))
	}
}

// fail ends a room whose game cannot be trusted any more: no callback runs, and what the tick emitted is not sent.
func (r *Room) fail() {
	r.closing = codec.Errorf(codec.RoomFailed, "the game had a fault")
	for _, c := range r.clients {
		r.failed(c)
	}
	for _, l := range r.leavers {
		r.failed(l.c)
	}
	r.clients, r.leavers = nil, nil
	r.shut()
}

// failed tells a client that its room failed, if it was not told that it left.
func (r *Room) failed(c *Client) {
	if c.state != gone {
		c.state = gone
		r.noGrace(c)
		c.link.Left(c.channel, r.closing)
	}
}

// shut closes the inbox and the door. Joins that wait are refused.
func (r *Room) shut() {
	r.closed = true
	r.kind.directory.remove(r)
	r.refuseJoins(r.batch, r.next)
	r.refuseJoins(r.inbox.close(r.closing), 0)
	r.batch = nil
	r.taskMu.Lock()
	task := r.task
	r.taskMu.Unlock()
	task.Stop()
	r.keep()
	r.kind.host.rooms.Add(-1) // last, so that Host.Close waits for all of it
}

// refuseJoins turns away who waits in the batch from that item on.
func (r *Room) refuseJoins(b *batch, from int) {
	if b == nil {
		return
	}
	for _, it := range b.items[from:] {
		if it.kind == itemJoin {
			r.failed(it.client)
		}
	}
}
