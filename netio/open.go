package netio

import (
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/lesismal/nbio"

	"github.com/volley-go/volley/codec"
)

const firstBuffer = 4 << 10 // what the goroutine of a new connection reads with

// newcomer is a socket that has got through its transport's handshake, and what of that belongs to the connection.
type newcomer struct {
	nc        net.Conn // to read from and write to
	socket    net.Conn // nc, or what is under its TLS
	tls       *tlsConn // nc, if it is one
	transport Transport
	r         *http.Request // the upgrade; nil for TCP
	rest      []byte        // bytes that were read and come before those of nc
	deadline  time.Time     // of the handshake
	place     int32         // for Engine.release; 0: it is not ours any more
	awaited   bool          // the connection counts as a handshake until it has said its first frame
}

// register makes a newcomer's Conn. Nil: there are too many.
func (e *Engine) register(n *newcomer) *Conn {
	c := &Conn{
		e:         e,
		tls:       n.tls,
		remote:    n.nc.RemoteAddr(),
		transport: n.transport,
		blocking:  &blocking{nc: n.nc, socket: n.socket, held: true},
	}
	if n.transport == TCP {
		c.tcp = new(tcpReader)
	}
	c.ws.foreign = c.foreign() != nil
	c.deadline.Store(int64(n.deadline.Sub(e.started)))
	c.lastSeen.Store(e.now())
	if !e.add(c) {
		return nil
	}
	c.place, n.place = n.place, 0
	if e.isDown() { // Shutdown may have looked before
		c.goAway()
	}
	return c
}

// open takes c from its upgrade, or from the accept of TCP, to where it stays. It runs on the connection's goroutine.
func (e *Engine) open(c *Conn, n *newcomer) {
	if _, ok := n.socket.(*net.TCPConn); ok && n.nc == n.socket && e.cfg.OpenOnPoller && c.foreign() == nil {
		e.await(c, n)
	} else {
		e.openHere(c, n)
	}
}

// openHere takes c from its first frame to where it stays. It runs on the connection's goroutine and holds readMu throughout, so
// nothing overtakes: the poller that gets the socket waits until the bytes that came earlier have been handled.
func (e *Engine) openHere(c *Conn, n *newcomer) {
	buf := e.pool.Malloc(firstBuffer)
	defer e.pool.Free(buf)
	c.readMu.Lock()
	defer c.unlockRead()
	whole := false
	defer func() {
		if !whole { // a panic, or runtime.Goexit in Auth
			c.over = true
			_ = n.socket.Close()
			c.died(ErrLost)
		}
	}()

	_ = n.nc.SetDeadline(n.deadline)
	first, rest, err := c.readFirst(n, *buf)
	if err == nil {
		c.session, err = e.callOpen(c, n.r, first)
	}
	if err != nil {
		c.refuse(err)
	}
	c.over = c.session == nil
	if c.reason.Load() == nil {
		c.deadline.CompareAndSwap(int64(n.deadline.Sub(e.started)), 0) // not if the connection has just begun to close
	}
	_ = n.nc.SetDeadline(time.Time{})
	whole = true
	if !c.settle(n) {
		return
	}
	now := e.now()
	c.lastSeen.Store(now)
	c.watch()
	c.parse(rest, now)
	if c.tls != nil && c.nb != nil && c.reason.Load() == nil {
		c.decrypt(*buf, 0, now) // TLS may have read on
	}
}

// refuse ends a connection that has no session.
func (c *Conn) refuse(err error) {
	var socket *firstReadError
	switch {
	case !errors.As(err, &socket):
		c.fail(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.Close(codec.HandshakeTimeout, noFirstFrame, 0)
	default:
		c.lost(err)
	}
}

// firstReadError marks an error of the socket before the first frame.
type firstReadError struct{ error }

func (e *firstReadError) Unwrap() error { return e.error }

// readFirst returns the first frame, and the bytes after it that have been read. Both alias buf, n.rest or c's reader. On a
// foreign connection nothing comes first.
func (c *Conn) readFirst(n *newcomer, buf []byte) (first, rest []byte, err error) {
	if c.foreign() != nil && c.reason.Load() == nil {
		return nil, n.rest, nil
	}
	in := n.rest
	for c.reason.Load() == nil {
		ev, p, rest, err := c.next(in)
		in = rest
		if err != nil {
			return nil, nil, err
		}
		now := c.e.now()
		if ev != evMore && !c.e.msgs.take(&c.paidMsgs, now, 1) {
			return nil, nil, errTooManyMessages
		}
		switch ev {
		case evMessage:
			return p, rest, nil
		case evPing:
			var pong [2 + maxControl]byte
			if _, err = n.nc.Write(appendControl(pong[:0], opPong, p)); err != nil {
				return nil, nil, &firstReadError{err}
			}
		case evClose:
			c.peerCloses(p)
		case evMore:
			c.accountPartial()
			size, err := n.nc.Read(buf)
			if size == 0 && err != nil {
				return nil, nil, &firstReadError{err}
			}
			if !c.e.bytes.take(&c.paidBytes, now, int64(size)) {
				return nil, nil, errTooManyBytes
			}
			c.e.counters[c.shard].bytesIn.Add(uint64(size))
			in = buf[:size]
		}
	}
	return nil, nil, errAlreadyClosing
}

// callOpen calls Handler.Open. A panic refuses this connection only.
func (e *Engine) callOpen(c *Conn, r *http.Request, first []byte) (s Session, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("netio: Open panicked", "panic", p, "stack", string(debug.Stack()))
			s, err = nil, errPanic
		}
	}()
	s, err = e.handler.Open(c, r, first)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errNoSession
	}
	return s, nil
}

// awaited is the session of a connection whose first frame comes over a poller, until it has come: then Message puts the one that
// Open returns in its place.
type awaited struct {
	c        *Conn
	r        *http.Request
	deadline int64 // of the handshake, on the engine's clock
}

// await moves c's socket to a poller, which will read its first frame and call Open.
func (e *Engine) await(c *Conn, n *newcomer) {
	c.readMu.Lock()
	defer c.unlockRead()
	n.awaited = true
	c.set(flagAwaits)
	c.session = &awaited{c: c, r: n.r, deadline: int64(n.deadline.Sub(e.started))}
	if c.settle(n) {
		c.parse(n.rest, e.now())
	}
}

// Message opens the connection.
func (a *awaited) Message(first []byte) error {
	c := a.c
	s, err := c.e.callOpen(c, a.r, first)
	c.session, c.over = s, s == nil
	a.end()
	if err != nil {
		return err
	}
	if c.reason.Load() == nil {
		c.deadline.CompareAndSwap(a.deadline, 0) // not if the connection has just begun to close
	}
	c.lastSeen.Store(c.e.now())
	return nil
}

func (a *awaited) Drained() {}

func (a *awaited) Closed(error) { a.end() }

func (a *awaited) end() {
	a.c.clear(flagAwaits)
	a.c.e.totals.handshakes.Add(-1)
}

// settle moves the socket to a poller, or starts what carries it otherwise, also if the connection has begun to close: its last
// bytes want to go out. False: the socket is closed. Under readMu.
func (c *Conn) settle(n *newcomer) bool {
	if r := c.reason.Load(); r != nil && errors.Is(*r, ErrLost) {
		_ = n.nc.Close()
		c.died(ErrLost)
		return false
	}
	tcp, ok := n.socket.(*net.TCPConn)
	if !ok || c.tls == nil && n.nc != n.socket {
		c.wmu.Lock()
		c.blocking.release(c)
		c.wmu.Unlock()
		c.e.serving.Add(1)
		go c.readLoop(n.nc)
		return true
	}
	if err := c.move(tcp); err != nil {
		c.e.warn("netio: a socket could not move to a poller", "error", err)
		_ = tcp.Close()
		c.begin(errCannotMove)
		c.died(err)
		return false
	}
	return true
}

// move gives the socket to a poller. nbio duplicates the descriptor and closes the original; bytes that nobody has read stay in
// the kernel. Nobody writes before the poller knows the connection: wmu is held until what was queued has been written.
func (c *Conn) move(tcp *net.TCPConn) error {
	nb, err := nbio.NBConn(tcp)
	if err != nil {
		return err
	}
	syscall.CloseOnExec(nb.Hash()) // its hash is its descriptor; duplicating it lost this flag
	setSession(nb, c)
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if _, err := c.e.nbio.AddConn(nb); err != nil {
		return err // nbio has closed the duplicate
	}
	q := c.blocking.queue
	c.nb, c.blocking = nb, nil
	if c.tls != nil {
		c.tls.move(tlsSink{c: c})
	}
	if q == nil {
		return nil
	}
	if err := c.writeLocked(*q); err != nil {
		_ = nb.CloseWithError(err) // leads to Engine.onClose
	}
	n := len(*q)
	c.e.pool.Free(q)
	if c.written(n); c.reason.Load() != nil {
		c.set(flagDrained) // the dispatcher finishes
	}
	return nil
}

// readLoop is the goroutine of a connection that stays off the pollers.
func (c *Conn) readLoop(nc net.Conn) {
	defer c.e.serving.Done()
	buf := c.e.pool.Malloc(firstBuffer)
	defer c.e.pool.Free(buf)
	for {
		n, err := nc.Read(*buf)
		if n > 0 {
			c.readMu.Lock()
			c.received(*buf, n)
			c.unlockRead()
		}
		if err != nil {
			_ = nc.Close()
			c.died(err)
			return
		}
	}
}

var (
	errNoSession      = errors.New("netio: Open returned neither a Session nor an error")
	errAlreadyClosing = &codec.Error{Code: codec.Normal}
	errCannotMove     = &codec.Error{Code: codec.Overloaded, Reason: "no descriptor is free"}
)
