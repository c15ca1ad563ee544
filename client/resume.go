package client

import (
	"cmp"
	"slices"

	"github.com/volley-go/volley/codec"
)

// processed is what HELLO says about each channel that the server may know.
func (c *Client) processed() []codec.Processed {
	var list []codec.Processed
	for _, r := range c.rooms() {
		r.mu.Lock()
		if r.sent {
			r.link, r.told = listed, r.tick
			list = append(list, codec.Processed{Channel: r.channel, Joining: r.state == joining, Tick: r.tick})
		}
		r.mu.Unlock()
	}
	return list
}

func (c *Client) onResumed(rd *codec.Reader, n int) error {
	channel, seq, err := rd.Resumed(n)
	if err != nil {
		return err
	}
	r := c.room(channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "RESUMED on channel %d, which has no room", channel)
	}
	return r.onResumed(seq)
}

func (c *Client) onResync(rd *codec.Reader, n int) error {
	channel, tick, err := rd.Resync(n)
	if err != nil {
		return err
	}
	r := c.room(channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "RESYNC on channel %d, which has no room", channel)
	}
	return r.onResync(tick)
}

// onResumed goes on behind packet seq, the last that arrived. On the goroutine that reads.
func (r *Room) onResumed(seq uint64) error {
	r.mu.Lock()
	switch {
	case r.link != listed || r.state == joining:
		r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "RESUMED on channel %d, which was not to be resumed", r.channel)
	case !r.outbox.resend(seq):
		r.mu.Unlock()
		return codec.Errorf(codec.BadSequence, "channel %d resumes behind packet %d, which cannot be", r.channel, seq)
	}
	r.link, r.arrived, r.fresh = live, seq, true
	r.mu.Unlock()
	_ = r.flush(false)
	return nil
}

// onResync is told that ticks are lost. On the goroutine that reads. The tick that has been processed stays what it was: if the
// connection is lost before the room has told its state, that must be told again.
func (r *Room) onResync(tick uint64) error {
	r.mu.Lock()
	if r.link != live && r.link != mute || tick < r.tick {
		defer r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "RESYNC on channel %d at tick %d cannot come now", r.channel, tick)
	}
	var failed []request
	if r.fresh {
		failed = r.takeLocked(r.arrived)
	}
	r.resync = true // and the next VOLLEY says what else was processed by now
	h, abandoned := r.handlers.Load(), r.abandoned
	r.mu.Unlock()
	fail(failed, ErrReplyLost)
	if abandoned {
		return nil
	}
	for _, f := range h.resyncs {
		f(tick)
	}
	return nil
}

// takeLocked takes the open requests up to number seq out, in order. Under mu.
func (r *Room) takeLocked(seq uint64) []request {
	var taken []request
	for id, req := range r.requests {
		if req.seq <= seq {
			taken = append(taken, req)
			delete(r.requests, id)
		}
	}
	slices.SortFunc(taken, func(a, b request) int { return cmp.Compare(a.seq, b.seq) })
	return taken
}

func fail(requests []request, err error) {
	for _, req := range requests {
		req.done(nil, err)
	}
}

// renew begins a new session for the rooms, after one that ended with e. On the goroutine that reads, while the connection is
// down. Joins that have no answer are asked again; the other rooms are joined again or over.
func (c *Client) renew(e *CloseError) {
	for _, r := range c.rooms() {
		r.mu.Lock()
		r.sent, r.link = false, cold
		why := &LeftError{e.Code, e.Reason}
		var failed []request
		ends := false
		switch {
		case r.abandoned || r.quit || r.state == leaving:
			ends, why = true, &LeftError{Code: codec.Left}
		case r.state == joined && c.cfg.Reconnect.NoRejoin:
			ends = true
		case r.state == joined:
			failed = r.restartLocked()
		}
		r.mu.Unlock()
		fail(failed, why)
		if ends {
			c.leftRoom(r, why)
		}
	}
}

// leftRoom frees the channel and ends the membership.
func (c *Client) leftRoom(r *Room, why *LeftError) {
	c.mu.Lock()
	if int(r.channel) < len(c.channels) {
		c.channels[r.channel] = nil
	}
	c.mu.Unlock()
	r.over(why, why.Code, why.Reason)
}

// restartLocked makes a membership that is over one that is to be joined again, and returns the requests that fail. Under mu.
func (r *Room) restartLocked() []request {
	failed := r.takeLocked(r.outbox.last())
	r.lost += len(r.outbox.ends) - r.outbox.first
	r.outbox = outbox{}
	r.state, r.rejoin = joining, sameRoom
	r.tick, r.told, r.fresh, r.resync = 0, 0, false, false
	return failed
}

// rejoin is how a room that was joined before is asked for.
type rejoin uint8

const (
	firstJoin rejoin = iota // it was not
	sameRoom                // by its id
	asAtFirst               // that was refused: by the call that led there
)

// wish is what a join asks for.
type wish struct {
	how     codec.How
	name    string
	options []byte
}

// sendJoin asks the server for a room that is to be joined, if it has not been asked and there is a connection.
func (c *Client) sendJoin(r *Room) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.down {
		return // up asks
	}
	r.mu.Lock()
	ask := r.state == joining && !r.sent
	r.sent = r.sent || ask
	how, name := r.wish.how, r.wish.name
	if r.rejoin == sameRoom {
		how, name = codec.JoinByID, r.facts.Room
	}
	r.mu.Unlock()
	if ask {
		b := make([]byte, headroom, headroom+codec.MaxName+32+len(r.wish.options))
		_ = c.writeFrame(codec.AppendJoin(b, r.channel, how, name, r.wish.options), headroom)
	}
}

// onLeft is the server's no to a join, or the end of a membership. On the goroutine that reads. A session's LEFT ResumeFailed, in
// answer to HELLO, says that a JOIN never arrived, or that the seat is gone.
func (c *Client) onLeft(r *Room, why *LeftError) {
	r.mu.Lock()
	unknown := r.link == listed && why.Code == codec.ResumeFailed
	r.link, r.sent = cold, false
	again := false
	var failed []request
	switch wanted := !r.abandoned && !r.quit; {
	case r.state == joining && unknown:
		again = wanted
	case r.state == joining && r.rejoin == sameRoom && r.wish.how != codec.JoinByID:
		again, r.rejoin = wanted, asAtFirst
	case r.state == joined && unknown && !c.cfg.Reconnect.NoRejoin:
		again, failed = true, r.restartLocked()
	case r.state == leaving && unknown:
		why = &LeftError{Code: codec.Left} // and the word of it was lost
	}
	r.mu.Unlock()
	fail(failed, why)
	if again {
		c.sendJoin(r)
	} else {
		c.leftRoom(r, why)
	}
}
