package netio

import (
	"net"
)

// blocking carries a connection whose socket is not on a poller: not yet, or never. A connection that will move only
// collects what is sent before that (held); one that stays has a writer goroutine while there is something to write, so that
// Send never waits for the peer.
type blocking struct {
	nc     net.Conn // what to read from and write to. Static.
	socket net.Conn // what to close without waiting: nc, or what is under its TLS. Static.

	// Guarded by Conn.wmu.
	queue   *[]byte // of the pool; bytes that no writer has taken; bounded by Config.MaxBacklog; nil: none
	held    bool    // only collect
	writing bool    // the writer runs
}

// put queues b. Under c.wmu.
func (b *blocking) put(c *Conn, p []byte) {
	c.pending.Add(int64(len(p)))
	b.queue = c.e.pool.Append(b.queue, p...)
	b.start(c)
}

// release lets the writer begin. Under c.wmu.
func (b *blocking) release(c *Conn) {
	b.held = false
	b.start(c)
}

// start runs the writer if there is work for it. Under c.wmu.
func (b *blocking) start(c *Conn) {
	if b.held || b.writing || b.queue == nil {
		return
	}
	b.writing = true
	go b.write(c)
}

// write is the writer: it ends when the queue is empty or the socket is closed.
func (b *blocking) write(c *Conn) {
	for {
		c.wmu.Lock()
		q := b.queue
		b.queue = nil
		if q == nil {
			b.writing = false
			last := c.said && !c.finished
			c.finished = c.finished || last
			c.wmu.Unlock()
			if last {
				b.closeWrite()
			}
			return
		}
		c.wmu.Unlock()
		n := len(*q)
		_, err := b.nc.Write(*q)
		c.e.pool.Free(q)
		if err != nil {
			c.lost(err) // writing stays true: nothing is written any more
			return
		}
		c.written(n)
	}
}

// closeWrite tells the peer that nothing more will come, if the connection can.
func (b *blocking) closeWrite() {
	if w, ok := b.nc.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
}
