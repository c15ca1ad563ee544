package netio

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
)

const (
	// lastMoment is how long a connection that is closed for its buffers may take for its last bytes.
	lastMoment = int64(250 * time.Millisecond)
	// relieveEvery is how often the connections with the largest buffers are looked for at the most.
	relieveEvery = int64(20 * time.Millisecond)
)

// errOverBudget ends the connections that have the most in buffers when all of them together have too much.
var errOverBudget = &codec.Error{Code: codec.Overloaded,
	Reason: "the server holds too many unsent bytes; yours are among the most"}

// budget bounds what all connections together make the server hold: bytes that no socket has taken, and frames that have come in
// part. It is counted where something stays behind only, so that a connection that keeps up costs nothing.
type budget struct {
	limit int64 // Config.MaxBuffered; 0: none
	used  atomic.Int64
	wake  chan struct{} // tells the sweeper that used is above limit

	relieved int64 // the engine's clock: when last; the sweeper's
}

// add changes what is used and wakes the sweeper if it is too much.
func (b *budget) add(n int64) {
	if used := b.used.Add(n); n > 0 && b.limit > 0 && used > b.limit {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

// exceeded reports whether more than the limit is used.
func (b *budget) exceeded() bool { return b.limit > 0 && b.used.Load() > b.limit }

// exhausted reports whether so much is used that whoever wants more is cut off at once: the worst could not be closed as fast as
// others come.
func (b *budget) exhausted() bool { return b.limit > 0 && b.used.Load() > b.limit+b.limit/4 }

// account tells the budget what of c's bytes has not left. Any goroutine, under any lock: whoever comes last sets it right.
func (c *Conn) account() {
	for {
		p := c.unsent()
		c.e.budget.add(p - int64(c.accounted.Swap(int32(p))))
		if c.unsent() == p {
			return
		}
	}
}

// unsent is pending, until the socket is dead.
func (c *Conn) unsent() int64 {
	if c.flags.Load()&flagDead != 0 {
		return 0
	}
	return c.pending.Load()
}

// accountPartial tells the budget what of a frame has come that is not whole yet. Under readMu.
func (c *Conn) accountPartial() {
	buf := c.ws.buf
	if c.transport == TCP {
		buf = c.tcp.buf
	}
	n, before := int32(0), c.partial.Load()
	if buf != nil {
		n = int32(cap(*buf))
	}
	if n == before {
		return
	}
	c.partial.Store(n)
	c.e.budget.add(int64(n - before))
	if n > before && c.e.budget.exhausted() {
		c.overdraw()
		c.releaseReaders()
	}
}

// releaseReaders gives back what has come of a frame. The connection is closing: nothing is read any more. Under readMu.
func (c *Conn) releaseReaders() {
	c.ws.release(c.e.pool)
	if c.tcp != nil {
		c.tcp.release(c.e.pool)
	}
	c.accountPartial()
}

// overdraw ends a connection that wants more when nothing is left: without a word, which would have to be buffered too.
func (c *Conn) overdraw() {
	c.begin(errOverBudget)
	c.cut(errOverBudget)
}

// relieve closes the connections with the largest buffers until the others are within the limit. It runs on the sweeper.
func (e *Engine) relieve(now int64) {
	b := &e.budget
	over := b.used.Load() - b.limit
	if b.limit == 0 || over <= 0 || now-b.relieved < relieveEvery {
		return
	}
	b.relieved = now
	over += b.limit / 8 // not to be back at once
	var held []holder
	e.eachConn(func(c *Conn) {
		if n := int64(c.accounted.Load()) + int64(c.partial.Load()); n > 0 {
			held = append(held, holder{c, n})
		}
	})
	slices.SortFunc(held, func(a, b holder) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, h := range held {
		if over <= 0 {
			break
		}
		over -= h.bytes
		h.conn.closeWith(errOverBudget, 0)
		h.conn.hasten(now + lastMoment)
		if h.conn.readMu.TryLock() {
			h.conn.releaseReaders()
			h.conn.unlockRead()
		}
	}
	e.warn("netio: the connections' buffers are full; those with the most are closed", "limit", "MaxBuffered", "bytes", b.limit)
}

// holder is a connection and what it has in buffers.
type holder struct {
	conn  *Conn
	bytes int64
}

// hasten brings the deadline of a closing connection forward.
func (c *Conn) hasten(until int64) {
	for {
		d := c.deadline.Load()
		if d != 0 && d <= until || c.deadline.CompareAndSwap(d, until) {
			return
		}
	}
}
