package netio

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/lesismal/nbio"

	"github.com/volley-go/volley/codec"
)

const (
	// maxReads bounds how long one socket may keep its poller.
	maxReads = 8
	// maxDiscard is how many bytes may come on a connection that is closing before it is cut: enough for what was under way.
	maxDiscard = 4 << 20
)

// onRead runs on a poller when a socket is readable, or ended. It reads until there is nothing left, so that the bytes that
// came before a FIN are handled before nbio closes the connection for it.
func (e *Engine) onRead(nb *nbio.Conn) {
	buf := e.nbio.PollerBuffer(nb)
	switch s := sessionOf(nb).(type) {
	case *Conn:
		s.poll(nb, buf)
		e.pollers[nb.Hash()%e.cfg.Pollers].after(s)
	case *poller:
		s.poll(nb, buf)
	case *probe:
		s.poll(nb, buf)
	}
}

// sessionOf returns what setSession has set. The pollers learn of a socket from epoll, which the memory model does not know; the
// lock orders what was written before the socket was added.
func sessionOf(nb *nbio.Conn) any {
	nb.Lock()
	defer nb.Unlock()
	return nb.Session()
}

func setSession(nb *nbio.Conn, s any) {
	nb.Lock()
	defer nb.Unlock()
	nb.SetSession(s)
}

// poll reads c's socket. It holds readMu all the while: what the connection's goroutine still had to handle comes before
// what the poller reads, and before the end of the stream.
func (c *Conn) poll(nb *nbio.Conn, buf []byte) {
	c.readMu.Lock()
	defer c.unlockRead()
	c.canWait, c.hurry = false, false
	for range maxReads {
		n, err := receiveNow(nb, buf)
		if n > 0 {
			c.received(buf, n)
		}
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return
		case err != nil || n == 0:
			if err == nil {
				err = io.EOF
			}
			_ = nb.CloseWithError(err)
			return
		case n < len(buf):
			return
		}
	}
}

// unlockRead unlocks readMu, and sends the dispatcher to c again if it may have found readMu taken.
func (c *Conn) unlockRead() {
	c.readMu.Unlock()
	if c.reason.Load() != nil || c.flags.Load()&flagDrained != 0 {
		c.e.dispatch(c)
	}
}

// received handles buf[:n], fresh off the socket; all of buf is scratch. Under readMu. It never leaves with a panic of the
// session's.
func (c *Conn) received(buf []byte, n int) {
	now := c.e.now()
	c.e.counters[c.shard].bytesIn.Add(uint64(n))
	if c.reason.Load() != nil {
		c.discard(n)
		return
	}
	if !c.e.bytes.take(&c.paidBytes, now, int64(n)) {
		c.closeWith(errTooManyBytes, 0)
		return
	}
	if c.tls == nil || c.nb == nil { // a tlsConn that has not moved has been read through
		c.parse(buf[:n], now)
		return
	}
	c.decrypt(buf, n, now)
}

// decrypt takes the frames out of the records that buf[:n] completes. TLS has copied the records before it writes plaintext
// over them.
func (c *Conn) decrypt(buf []byte, n int, now int64) {
	raw := buf[:n]
	for {
		m, err := c.tls.feed(raw, buf)
		raw = nil
		if m > 0 {
			c.parse(buf[:m], now)
		}
		if err != nil {
			c.lost(err)
			return
		}
		if m == 0 || c.reason.Load() != nil {
			return
		}
	}
}

// discard counts what a closing connection still sends; beyond a bound it is not polite any more.
func (c *Conn) discard(n int) {
	if c.discarded += int32(n); c.discarded > maxDiscard {
		c.cut(ErrClosed)
	}
}

// next is the next event in b.
func (c *Conn) next(b []byte) (event, []byte, []byte, error) {
	if c.transport == TCP {
		return c.tcp.next(b, c.e.pool, c.e.cfg.MaxMessage)
	}
	return c.ws.next(b, c.e.pool, c.e.cfg.MaxMessage)
}

// parse handles every frame that b completes, until the connection ends. A peer shows that it lives by whole frames, not by
// bytes, or it could hold what has come of one for ever. Under readMu.
func (c *Conn) parse(b []byte, now int64) {
	for seen := false; c.reason.Load() == nil; {
		ev, p, rest, err := c.next(b)
		if err != nil {
			c.fail(err)
			return
		}
		if ev == evMore {
			c.accountPartial()
			return
		}
		if !seen && c.flags.Load()&flagAwaits == 0 {
			c.lastSeen.Store(now)
			seen = true
			if c.flags.Load()&flagSpoke == 0 {
				c.set(flagSpoke)
			}
		}
		if !c.e.msgs.take(&c.paidMsgs, now, 1) {
			c.closeWith(errTooManyMessages, 0)
			return
		}
		if ev == evMessage {
			c.message(p, now)
		} else {
			c.control(ev, p)
		}
		b = rest
	}
}

// message handles one frame: a PING or PONG of Volley's here, any other in the session.
func (c *Conn) message(p []byte, now int64) {
	first := c.flags.Load()&flagAwaits != 0
	if t, ok := isPingPong(p); ok && !first && c.foreign() == nil {
		s, err := stampOf(p)
		switch {
		case err != nil:
			c.fail(err)
		case t == codec.FramePong:
			c.ponged(s, now)
		default:
			var buf [Headroom + 16]byte
			_ = c.Send(codec.AppendPong(buf[:Headroom], s), Headroom)
		}
		return
	}
	if !first {
		c.e.counters[c.shard].messagesIn.Add(1)
	}
	c.canWait = false
	if err := c.toSession(p); err != nil {
		c.fail(err)
	}
	c.hurry = c.hurry || !c.canWait && !first
}

// toSession calls Message. A panic ends this connection and not its poller.
func (c *Conn) toSession(p []byte) (err error) {
	panicked := true
	c.e.guard(func() {
		err = c.session.Message(p)
		panicked = false
	})
	if panicked {
		return errPanic
	}
	return err
}

// control handles a WebSocket control frame.
func (c *Conn) control(ev event, p []byte) {
	switch ev {
	case evPing:
		var buf [2 + maxControl]byte
		c.sendControl(appendControl(buf[:0], opPong, p))
	case evClose:
		c.peerCloses(p)
	}
}

// sendControl writes a control frame if the connection is not closing.
func (c *Conn) sendControl(b []byte) {
	c.wmu.Lock()
	var err error
	switch {
	case c.reason.Load() != nil:
	case !c.mayQueue(len(b)):
		err = errBacklog
	default:
		err = c.writeLocked(b)
	}
	c.wmu.Unlock()
	if c.pending.Load() > 0 {
		c.account()
	}
	if err != nil {
		c.fail(err)
	}
}

// peerCloses answers a close frame with the same code, and with nothing after it. A peer that closes with 1000, 1001 or no code
// means it. With another one it gives up on the connection, since it heard nothing on it or nothing that made sense: that is a
// loss.
func (c *Conn) peerCloses(p []byte) {
	code, err := closeCode(p)
	if err != nil {
		c.fail(err)
		return
	}
	var buf [4]byte
	echo := appendControl(buf[:0], opClose, nil)
	reason := error(&codec.Error{Code: codec.Normal, Reason: "the peer closed"})
	if code != 0 {
		echo = appendClose(buf[:0], code, "")
		if code == codec.Normal || code == codec.GoingAway {
			reason = codec.Errorf(codec.Normal, "the peer closed with %d", code)
		} else {
			reason = loss(fmt.Errorf("it closed with %d", code))
		}
	}
	if c.begin(reason) {
		c.sayLast(echo)
	}
}

// fail ends the connection with the code of err.
func (c *Conn) fail(err error) {
	e := toCodecError(err)
	if e.Code == codec.Internal {
		c.e.log.Error("netio: a session failed", "remote", c.remote, "error", err)
	}
	c.closeWith(e, 0)
}

// The ends of a connection that are not a reader's. They are shared and never changed.
var (
	errTooManyMessages = &codec.Error{Code: codec.RateLimited, Reason: "too many messages a second"}
	errTooManyBytes    = &codec.Error{Code: codec.RateLimited, Reason: "too many bytes a second"}
	errBacklog         = &codec.Error{Code: codec.SlowConsumer, Reason: "too many bytes are unsent"}
	errPanic           = &codec.Error{Code: codec.Internal}
)
