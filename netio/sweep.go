package netio

import (
	"time"

	"github.com/volley-go/volley/codec"
)

const (
	sweepLongest  = time.Second
	sweepShortest = 5 * time.Millisecond

	noFirstFrame = "no first frame in time"
	stuckReason  = "nothing was read for two ping intervals"
)

// sweepRound is how often the sweeper comes by every connection: often enough for the shorter of the two intervals.
func (c Config) sweepRound() time.Duration {
	round := c.HandshakeTimeout
	if c.PingInterval > 0 {
		round = min(round, c.PingInterval)
	}
	return min(max(round/8, sweepShortest), sweepLongest)
}

// sweep is the sweeper: it looks at one shard of the connections per step, in place of a timer per connection.
func (e *Engine) sweep() {
	defer e.background.Done()
	tick := time.NewTicker(e.cfg.sweepRound() / shardCount)
	defer tick.Stop()
	var due []*Conn
	for i := 0; ; i = (i + 1) % shardCount {
		select {
		case <-tick.C:
		case <-e.budget.wake:
			e.relieve(e.now())
			i = (i + shardCount - 1) % shardCount // this shard's time has not come
			continue
		case <-e.done:
			return
		}
		now := e.now()
		e.relieve(now)
		s := &e.shards[i]
		s.mu.Lock()
		for _, c := range s.conns {
			if c.due(now) {
				due = append(due, c)
			}
		}
		s.mu.Unlock()
		for j, c := range due {
			c.swept(now)
			due[j] = nil
		}
		due = due[:0]
	}
}

// due reports whether there is something to do for c. It is called for every connection in every round.
func (c *Conn) due(now int64) bool {
	d, p := c.deadline.Load(), c.pingAt.Load()
	return d != 0 && d <= now || p != 0 && p <= now
}

// swept does what is due: the deadline of the handshake, or of a closing connection; idleness; a PING.
func (c *Conn) swept(now int64) {
	if d := c.deadline.Load(); d != 0 && d <= now {
		if c.reason.Load() != nil {
			if c.stillTakes(now) {
				c.deadline.Store(now + lastMoment)
			} else {
				c.cut(ErrClosed)
			}
			return
		}
		reason := "" // Open takes too long
		if c.flags.Load()&flagAwaits != 0 {
			reason = noFirstFrame
		}
		c.Close(codec.HandshakeTimeout, reason, 0)
		return
	}
	if p := c.pingAt.Load(); p == 0 || p > now || c.reason.Load() != nil || c.deadline.Load() != 0 {
		return
	}
	if f := c.foreign(); f != nil {
		c.sweptForeign(f, now)
		return
	}
	interval := int64(c.e.cfg.PingInterval)
	c.pingAt.Store(now + interval)
	if now-c.lastSeen.Load() >= 2*interval {
		c.Close(codec.IdleTimeout, "", 0)
		return
	}
	if c.stuck() {
		c.Close(codec.SlowConsumer, stuckReason, 0)
		return
	}
	if c.pinged.Load() == 0 {
		c.pinged.Store(now)
	}
	var buf [Headroom + 16]byte
	if c.Send(codec.AppendPing(buf[:Headroom], stamp(now)), Headroom) == nil {
		c.e.counters[c.shard].pings.Add(1)
	}
}

// stuck reports whether the peer has taken nothing of what waits for it since the last PING but one. It is asked once for each
// PING.
func (c *Conn) stuck() bool {
	if c.pending.Load() == 0 || c.clear(flagMoved) {
		c.clear(flagStuck | flagStuckTwice)
		return false
	}
	return !c.set(flagStuck) && !c.set(flagStuckTwice)
}

// stamp is the stamp of a PING sent at now: milliseconds of the engine's clock.
func stamp(now int64) uint64 { return uint64(now / int64(time.Millisecond)) }

// ponged takes the answer to a PING. A stamp that is not the outstanding PING's says nothing.
func (c *Conn) ponged(s uint64, now int64) {
	sent := c.pinged.Load()
	if sent == 0 || s != stamp(sent) {
		return
	}
	c.pinged.Store(0)
	c.rtt.Store(int32(smooth(int64(c.rtt.Load()), min(now-sent, int64(time.Hour))/int64(time.Microsecond))))
	c.e.counters[c.shard].pongs.Add(1)
}

// firstPing is when the nth connection is due for its first PING: from half an interval to a whole one from now, so that
// connections that came together are not pinged together. Foreign peers give up when a whole one has passed, and so for them it
// is at most three quarters, with the sweeper's round on top.
func (e *Engine) firstPing(n uint64) int64 {
	interval := int64(e.cfg.PingInterval)
	if interval < 0 {
		return 0
	}
	span := interval / 2
	if e.cfg.Foreign != nil {
		span = interval / 4
	}
	return e.now() + interval/2 + spread(n, span)
}
