package netio

import "sync"

const shardCount = 8

// shard is a part of the connections: the sweeper looks at one shard at a time.
type shard struct {
	mu    sync.Mutex
	conns []*Conn // a connection's place is its slot
	_     [32]byte
}

// add registers c from its first frame's wait until its socket has died. False: there are too many, or Shutdown has begun.
func (e *Engine) add(c *Conn) bool {
	if n := e.totals.open.Add(1); e.cfg.MaxConns > 0 && n > int64(e.cfg.MaxConns) {
		e.totals.open.Add(-1)
		return false
	}
	n := e.totals.opened.Add(1)
	c.shard = uint8(n % shardCount)
	if c.foreign() != nil {
		c.pinged.Store(e.firstPing(n)) // for watch
	} else {
		c.pingAt.Store(e.firstPing(n))
	}
	s := &e.shards[c.shard]
	s.mu.Lock()
	c.slot = int32(len(s.conns))
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	return true
}

// remove is add's opposite; the socket is closed.
func (e *Engine) remove(c *Conn) {
	s := &e.shards[c.shard]
	s.mu.Lock()
	last := len(s.conns) - 1
	s.conns[c.slot] = s.conns[last]
	s.conns[c.slot].slot = c.slot
	s.conns[last] = nil
	s.conns = s.conns[:last]
	s.mu.Unlock()
}

// eachConn calls f for the connections that there are now, without a lock.
func (e *Engine) eachConn(f func(c *Conn)) {
	var conns []*Conn
	for i := range e.shards {
		s := &e.shards[i]
		s.mu.Lock()
		conns = append(conns[:0], s.conns...)
		s.mu.Unlock()
		for _, c := range conns {
			f(c)
		}
	}
}
