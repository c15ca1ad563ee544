package netio

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lesismal/nbio"

	"github.com/volley-go/volley/codec"
)

// Headroom is the room that Send needs before a frame's body for the transport's header, in bytes.
const Headroom = 16

// Transport is how a connection carries frames.
type Transport uint8

const (
	WebSocket Transport = iota
	TCP
)

func (t Transport) String() string {
	if t == TCP {
		return "tcp"
	}
	return "websocket"
}

var (
	// ErrClosed is returned by Send on a connection that is closed or closing.
	ErrClosed = errors.New("netio: the connection is closed")
	// ErrLost is given to Session.Closed when the peer went away without a word.
	ErrLost = errors.New("netio: the peer went away")

	errHeadroom = errors.New("netio: Send needs Headroom bytes before the body")
	errNoBody   = errors.New("netio: Send needs a body; no frame is empty")
)

// Session is the user of one connection.
type Session interface {
	// Message gets one frame, which is valid during the call only. Calls come one at a time, on a poller, and must not block.
	// An error closes the connection: a *codec.Error with its code, any other with Internal.
	Message(frame []byte) error
	// Drained says that a connection that had unsent bytes (Send left some, or Pending returned some) has none any more. It
	// comes from the dispatcher, may run beside Message, and must not block.
	Drained()
	// Closed is the last call, exactly once. err says why: a *codec.Error where there is a code, else an error that wraps
	// ErrLost. It comes from the dispatcher and must not block.
	Closed(err error)
}

// Conn is one connection.
type Conn struct {
	// Static after newConn.
	e         *Engine
	tls       *tlsConn // nil: not TLS, or TLS that the standard library does under blocking.nc
	remote    net.Addr
	transport Transport
	shard     uint8 // of the registry and of the counters

	slot  int32 // in the shard's list; guarded by the shard's mu
	place int32 // for Engine.release; whoever sets flagDead gives it back

	// Guarded by readMu, which whoever feeds received bytes holds: the poller, or the connection's goroutine.
	readMu    sync.Mutex
	session   Session // nil before Open has returned and after Closed
	ws        wsReader
	tcp       *tcpReader // nil: WebSocket
	paidMsgs  int64      // rate.take's
	paidBytes int64
	discarded int32 // bytes that came after the connection began to close
	canWait   bool  // every frame of the event under way can wait
	hurry     bool  // one of them cannot
	over      bool  // no session will come, or the last one is being told Closed
	gone      bool  // no longer counted among the open connections

	// Guarded by wmu, which orders what is sent. It is taken before tlsConn.mu and nbio's own lock.
	wmu      sync.Mutex
	nb       *nbio.Conn // set once, when the socket moves to a poller
	blocking *blocking  // before the socket has moved, or for good
	behind   int32      // of pending: bytes behind the frame that found the connection ready
	said     bool       // the last bytes have been written: BYE and what comes with it
	finished bool       // they have gone out, and the peer was told that they were the last

	// Atomic.
	reason    atomic.Pointer[error] // why it ended; nil: it has not. Whoever sets it closes the connection.
	pending   atomic.Int64          // bytes handed to the socket that the kernel has not taken (ciphertext on TLS)
	flags     atomic.Uint32
	accounted atomic.Int32 // what the budget knows of pending
	rtt       atomic.Int32 // microseconds; 0: not known
	partial   atomic.Int32 // what the budget knows of a frame that has come in part; written under readMu

	lastSeen atomic.Int64 // the engine's clock: when bytes came last
	deadline atomic.Int64 // the engine's clock: when the sweeper closes or cuts the connection; 0: never
	pingAt   atomic.Int64 // the engine's clock: when the sweeper looks for silence or a PING that is due, or 0: never
	pinged   atomic.Int64 // the engine's clock: when the PING went out that has no PONG yet, or 0; foreign: when one is due
}

const (
	flagQueued     uint32 = 1 << iota // in the dispatcher's queue
	flagWaiting                       // somebody was told of unsent bytes and waits for Drained
	flagDrained                       // the dispatcher owes a Drained
	flagDead                          // the socket is closed
	flagMoved                         // the kernel has taken some of the bytes that waited
	flagStuck                         // it had taken nothing at the last PING
	flagStuckTwice                    // nor at the one before
	flagSpoke                         // a whole frame has come since Open was called
	flagAwaits                        // the first frame is awaited on a poller: session is an awaited
)

// set sets a flag and reports whether it was unset.
func (c *Conn) set(flag uint32) bool { return c.flags.Or(flag)&flag == 0 }

// clear clears a flag and reports whether it was set.
func (c *Conn) clear(flag uint32) bool { return c.flags.And(^flag)&flag != 0 }

// Spoke reports whether a whole frame has come since Open was called, PINGs and PONGs included. So the peer has what Open sent,
// if it waits for that.
func (c *Conn) Spoke() bool { return c.flags.Load()&flagSpoke != 0 }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Transport returns how the connection carries frames.
func (c *Conn) Transport() Transport { return c.transport }

// RTT returns the smoothed round trip time of PING and PONG; 0 until the first PONG, and with Config.Foreign.
func (c *Conn) RTT() time.Duration { return time.Duration(c.rtt.Load()) * time.Microsecond }

// Send sends the frame buf[head:] with one write. head must be at least Headroom: the transport's header is written into
// buf, right before the body. The buffer is the caller's again when Send returns; what the kernel did not take has been
// copied. If more than Config.MaxBacklog waits behind a frame that has not left, the connection is closed with SlowConsumer.
func (c *Conn) Send(buf []byte, head int) error {
	if head < Headroom {
		return errHeadroom
	}
	if len(buf) <= head {
		return errNoBody
	}
	return c.send(c.withHeader(buf, head), 1)
}

// send writes b, which is n messages with their headers.
func (c *Conn) send(b []byte, n int) error {
	c.wmu.Lock()
	if c.reason.Load() != nil {
		c.wmu.Unlock()
		return ErrClosed
	}
	if !c.mayQueue(len(b)) {
		c.wmu.Unlock()
		c.Close(codec.SlowConsumer, "too many bytes are unsent", 0)
		return ErrClosed
	}
	err := c.writeLocked(b)
	c.wmu.Unlock()
	if err != nil {
		c.lost(err)
		return ErrClosed
	}
	k := &c.e.counters[c.shard]
	k.messagesOut.Add(uint64(n))
	k.bytesOut.Add(uint64(len(b)))
	if c.pending.Load() > 0 {
		c.account()
		c.wait()
		if c.e.budget.exhausted() {
			c.overdraw()
			return ErrClosed
		}
	}
	return nil
}

// mayQueue reports whether n more bytes may be written, and counts them. Under wmu. What is unsent is the end of what was
// written, so the part of it that is not of the first frame is never more than all that was written after that.
func (c *Conn) mayQueue(n int) bool {
	pending := c.pending.Load()
	if pending == 0 {
		c.behind = 0
		return true
	}
	c.behind = int32(min(int64(c.behind), pending))
	if int(c.behind)+n > c.e.cfg.MaxBacklog {
		// Last words may be long: what a room has kept for a slow client comes at once when the room ends.
		return c.e.isDown() && pending+int64(n) <= int64(codec.ServerLimits.Frame+c.e.cfg.MaxBacklog)
	}
	c.behind += int32(n)
	return true
}

// Pending returns the number of unsent bytes. If it is not 0, Session.Drained will be called when it has become 0.
func (c *Conn) Pending() int {
	n := c.pending.Load()
	if n > 0 {
		c.wait()
	}
	return int(n)
}

// wait makes sure of a Drained for somebody who has seen pending above 0. Whichever comes last, this flag or the last byte,
// finds the other.
func (c *Conn) wait() {
	c.set(flagWaiting)
	if c.pending.Load() == 0 {
		c.drained()
	}
}

// written is told that the kernel took n bytes. It runs under nbio's lock of the connection.
func (c *Conn) written(n int) {
	left := c.pending.Add(-int64(n))
	if c.accounted.Load() != 0 {
		c.flags.Or(flagMoved)
		c.account()
	}
	if left == 0 {
		c.drained()
	}
}

func (c *Conn) drained() {
	if c.flags.Load()&flagWaiting != 0 && c.clear(flagWaiting) {
		c.set(flagDrained)
		c.e.dispatch(c)
	}
}

// writeLocked hands b to whatever carries the connection now. Under wmu.
func (c *Conn) writeLocked(b []byte) error {
	switch {
	case c.nb == nil:
		c.blocking.put(c, b)
		return nil
	case c.tls != nil:
		_, err := c.tls.Write(b) // tlsSink counts
		return err
	}
	if c.pending.Load() == 0 { // nothing is queued, and nobody else queues
		n, err := sendNow(c.nb, b)
		if b = b[n:]; len(b) == 0 || err != nil && !errors.Is(err, syscall.EAGAIN) {
			return err
		}
	}
	c.pending.Add(int64(len(b)))
	_, err := c.nb.Write(b) // keeps what the kernel does not take
	return err
}

// Close ends the connection: a BYE (not with Config.Foreign) and, on WebSocket, a close frame go out, and nothing after them.
// The peer has about two seconds to close its side before it is cut off. delay is how long the peer should stay away, which BYE
// tells it. Only the first Close of a connection does something. It does not wait, and may be called from anywhere, also inside
// Message.
func (c *Conn) Close(code codec.Code, reason string, delay time.Duration) {
	c.closeWith(&codec.Error{Code: code, Reason: codec.CutReason(reason)}, delay)
}

func (c *Conn) closeWith(e *codec.Error, delay time.Duration) { c.closeBye(e, bye{delay: delay}) }

// bye is what goes with the end of a connection beside its code and its reason.
type bye struct {
	delay   time.Duration
	address string
}

func (c *Conn) closeBye(e *codec.Error, with bye) {
	if !c.begin(e) {
		return
	}
	reason := codec.CutReason(e.Reason)
	buf := make([]byte, 0, 512)
	if c.foreign() == nil {
		frame := codec.AppendBye(make([]byte, Headroom, Headroom+320), e.Code, e.Reason, int(with.delay.Milliseconds()), with.address)
		buf = append(buf, c.withHeader(frame, Headroom)...)
	}
	if c.transport == WebSocket {
		buf = appendClose(buf, e.Code, reason)
	}
	c.sayLast(buf)
}

// Bye ends the connection because its peer has said so, with that code. Nothing is said but WebSocket's close frame. It may be
// called inside Message.
func (c *Conn) Bye(code codec.Code) {
	if !c.begin(codec.Errorf(codec.Normal, "the peer said BYE with %d", code)) {
		return
	}
	var last []byte
	if c.transport == WebSocket {
		last = appendClose(nil, codec.Normal, "")
	}
	c.sayLast(last)
}

// begin starts the end of the connection for the reason given and reports whether it had not begun before.
func (c *Conn) begin(reason error) bool {
	if !c.reason.CompareAndSwap(nil, &reason) {
		return false
	}
	c.e.totals.countClose(reason)
	c.e.logClose(c, reason)
	c.deadline.Store(c.e.now() + int64(closeGrace))
	return true
}

// sayLast writes the last bytes of a connection that begin has been called on.
func (c *Conn) sayLast(b []byte) {
	c.wmu.Lock()
	c.said = true
	var err error
	if len(b) > 0 {
		err = c.writeLocked(b)
	}
	if c.nb == nil && c.blocking.held {
		_ = c.blocking.socket.SetReadDeadline(time.Unix(1, 0)) // its goroutine may be waiting for the first frame
	}
	c.wmu.Unlock()
	if err != nil {
		c.cut(err)
	} else if c.pending.Load() > 0 {
		c.account()
		c.wait() // the dispatcher finishes
	} else {
		c.finish()
	}
	c.e.dispatch(c)
}

// finish tells the peer that nothing more will come, once everything has gone out. It then reads the end of the last bytes
// and closes its side, even if it does not care for BYE.
func (c *Conn) finish() {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.nb == nil || !c.said || c.finished {
		return // a blocking connection's writer finishes itself
	}
	if c.tls != nil && c.pending.Load() == 0 {
		_ = c.tls.CloseWrite() // nothing, the second time
	}
	if c.pending.Load() > 0 {
		c.wait() // the dispatcher comes back
		return
	}
	c.finished = true
	shutdownWrite(c.nb)
}

// lost ends the connection because its socket failed.
func (c *Conn) lost(err error) {
	c.begin(loss(err))
	c.cut(err)
	c.e.dispatch(c)
}

// loss is what Closed is told when a socket ended with err.
func loss(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return ErrLost
	}
	return &lostError{err}
}

// lostError is ErrLost and what the system said.
type lostError struct{ cause error }

func (e *lostError) Error() string   { return ErrLost.Error() + ": " + e.cause.Error() }
func (e *lostError) Unwrap() []error { return []error{ErrLost, e.cause} }

// cut closes the socket at once.
func (c *Conn) cut(err error) {
	c.wmu.Lock()
	nb, b := c.nb, c.blocking
	c.wmu.Unlock()
	if nb != nil {
		forsake(nb)
		_ = nb.CloseWithError(err) // leads to Engine.onClose
	} else {
		_ = b.socket.Close() // the goroutine that reads finds out
	}
}

// died is told, once the socket is closed, that nothing will be read or written any more.
func (c *Conn) died(err error) {
	if !c.set(flagDead) {
		return
	}
	c.begin(loss(err))
	if c.tls != nil {
		c.tls.free()
	}
	c.account()
	c.e.release(&c.place)
	c.e.remove(c)
	c.e.dispatch(c)
}
