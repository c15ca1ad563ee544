package room

import (
	"time"

	"github.com/volley-go/volley/codec"
)

// ownKey is what makes one latest-wins segment replace another for one client.
type ownKey struct {
	key   uint64
	index int32
}

// ackDelay is how long a client waits for the acknowledgement of its packets if nothing else is sent to it.
const ackDelay = 500 * time.Millisecond

// lag notes that c's cursor is behind the current tick.
func (r *Room) lag(c *Client, cursor uint64) {
	c.cursor = cursor
	if !c.lagging {
		c.lagging = true
		r.laggards = append(r.laggards, c)
	}
}

// acknowledge notes that c is to hear that its packets have been processed.
func (r *Room) acknowledge(c *Client) {
	if c.unacked {
		return
	}
	c.unacked = true
	r.unacked = append(r.unacked, c)
	if r.ackTimer == nil {
		r.ackTimer = r.After(ackDelay, func() { r.ackNow = true })
	} else if r.ackTimer.place < 0 && !r.ackNow {
		r.restart(r.ackTimer, ackDelay)
	}
}

// flush hands every client the log from its cursor to now, if its connection is ready.
func (r *Room) flush() {
	l := &r.log
	f := flusher{r: r, s: r.work}
	if len(l.common) > 0 {
		for _, c := range r.clients {
			f.serve(c)
		}
	} else {
		for _, c := range r.targets {
			f.serve(c)
		}
		for _, c := range r.laggards {
			f.serve(c)
		}
	}
	f.acks()
}

// fallOff deals with a client that cannot be brought up to date by the log any more, as Config.Behind says: it gets nothing
// until it begins afresh, or its connection is closed and it leaves. The game hears of that as of any other leave, by the inbox,
// because connections are not part of what a replay repeats.
func (r *Room) fallOff(c *Client) {
	switch {
	case c.fallen:
	case c.away && r.kind.hooks.resync:
		c.fallen, c.lagging = true, false // it begins afresh when it comes back
	case c.away: // it need not come back
		c.fallen, c.lagging = true, false
		c.Leave(codec.Errorf(codec.ResumeFailed, "room %s does not remember as far back as that", r.id))
	case r.kind.cfg.Behind == ResyncBehind:
		r.fall(c)
	default:
		r.tooSlow(c)
	}
}

// tooSlow closes the connection of a client that is too far behind.
func (r *Room) tooSlow(c *Client) {
	c.fallen, c.lagging = true, false
	r.kind.host.counts.slow.Add(1)
	why := codec.Errorf(codec.SlowConsumer, "too far behind room %s", r.id)
	c.link.Fail(why)
	c.Leave(why)
}

// flusher is one flush in progress.
type flusher struct {
	r     *Room
	s     *workspace
	built bool // s.shared holds this tick's packets
	count int  // how many
}

// serve sends c what it has not been handed.
func (f *flusher) serve(c *Client) {
	r, l := f.r, &f.r.log
	if c.state != live || c.fallen || c.away {
		return // leavers are sent off apart
	}
	from, end := l.tick, l.end()
	if c.lagging {
		from = c.cursor
	}
	if c.served == r.tick {
		return
	}
	if from == end {
		c.lagging, c.served = false, r.tick
		return
	}
	if c.link.Pending() > 0 {
		r.lag(c, from)
		return
	}
	c.lagging = false
	c.served = r.tick
	if c.heard.Load() >= c.sent {
		c.floor = from // what comes before it has processed, or it was for others
	}
	if from == l.tick && l.uniform {
		f.build()
		f.send(c, f.s.shared, f.count)
		return
	}
	if count := f.gather(c, from, end); count > 0 {
		f.send(c, f.s.own, count)
	}
}

// build puts the packets of a tick that is for everyone into s.shared, once.
func (f *flusher) build() {
	if f.built {
		return
	}
	f.built = true
	l := &f.r.log
	first := l.segments[l.tick-l.first:]
	f.count = len(first) - l.dead
	f.s.shared = f.s.shared[:gap]
	if l.dead == 0 {
		f.s.shared = append(f.s.shared, l.bytes[first[0].at:]...)
		return
	}
	for i := range first {
		if s := &first[i]; !s.dead {
			f.s.shared = append(f.s.shared, l.bytes[s.at:s.at+s.size]...)
		}
	}
}

// gather puts the packets of [from, end) that are for c into s.own and returns how many they are. Of latest-wins packets it
// takes the newest.
func (f *flusher) gather(c *Client, from, end uint64) (count int) {
	l := &f.r.log
	early := end < l.end() // what replaced a dead segment may come too late for this client
	choose := (early || from < l.tick || !l.settled()) && f.choose(l.hearing(c, from, end), early)
	b := f.s.own[:gap]
	h := l.hearing(c, from, end)
	for n, s := h.next(); s != nil; n, s = h.next() {
		if (s.dead && !early) || (choose && s.latest && f.s.chosen[ownKey{s.key, s.index}] != n) {
			continue
		}
		b = append(b, l.bytes[s.at:s.at+s.size]...)
		count++
	}
	f.s.own = b
	switch {
	case len(f.s.chosen) > maxKeptList:
		f.s.chosen = map[ownKey]uint64{} // clearing a map costs what it ever held
	case choose:
		clear(f.s.chosen)
	}
	return count
}

// choose finds the newest segment of each latest-wins key and reports whether there are any.
func (f *flusher) choose(h hearing, early bool) (any bool) {
	for n, s := h.next(); s != nil; n, s = h.next() {
		if s.latest && (early || !s.dead) {
			f.s.chosen[ownKey{s.key, s.index}] = n
			any = true
		}
	}
	return any
}

// send writes the frame whose packets stand in buf behind the gap.
func (f *flusher) send(c *Client, buf []byte, count int) {
	start := codec.PutVolley(buf, gap, c.channel, f.r.tick, c.applied, count)
	if len(buf)-start > codec.ServerLimits.Frame || count > codec.ServerLimits.Packets {
		f.r.tooMuch(c)
		return
	}
	c.acked = c.applied
	if count > 0 {
		c.sent = f.r.tick
		f.r.unswept++
	}
	_ = c.link.Send(buf, start) // a connection that is gone is heard of as a leave
}

// tooMuch deals with a client whose next frame would be longer than any may be.
func (r *Room) tooMuch(c *Client) {
	if c.state == live && c.since+1 < r.tick {
		r.fallOff(c)
	} else if !c.fallen { // a fresh beginning would be no shorter: it has just had one, or it leaves
		r.tooSlow(c)
	}
}

// acks sends acknowledgements to those who got nothing else, when it is time.
func (f *flusher) acks() {
	r := f.r
	waiting := r.unacked[:0]
	for _, c := range r.unacked {
		deaf := c.state != live || c.fallen || c.away
		if c.acked < c.applied && r.ackNow && !deaf && !c.lagging && c.link.Pending() == 0 {
			f.s.own = f.s.own[:gap]
			f.send(c, f.s.own, 0)
		}
		if c.acked < c.applied && !deaf {
			waiting = append(waiting, c)
		} else {
			c.unacked = false
		}
	}
	clear(r.unacked[len(waiting):])
	r.unacked = waiting
	if r.ackNow {
		r.ackNow = false
		if len(waiting) > 0 {
			r.restart(r.ackTimer, ackDelay)
		}
	}
}

// serveLeaver sends a client that goes what was emitted up to segment until, whether its connection is ready or not.
func (r *Room) serveLeaver(c *Client, until uint64) {
	from := r.log.tick
	if c.lagging {
		from = c.cursor
	}
	c.lagging = false
	if c.fallen || c.away || c.served == r.tick || from >= until {
		return
	}
	f := flusher{r: r, s: r.work}
	if count := f.gather(c, from, until); count > 0 {
		f.send(c, f.s.own, count)
	}
}
