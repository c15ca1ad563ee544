package netio

import (
	stdtls "crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/lesismal/llib/std/crypto/tls"
)

const (
	acceptBackoffMin = 5 * time.Millisecond
	acceptBackoffMax = time.Second
)

// ServeTCP accepts connections of the TCP transport, over TLS if tlsConf is not nil, until ln fails for good or Shutdown, and
// then returns nil. It closes ln.
func (e *Engine) ServeTCP(ln net.Listener, tlsConf *stdtls.Config) error {
	cfg, err := tlsFor(tlsConf, nil)
	if err != nil {
		return err
	}
	return e.accept(ln, TCP, cfg, func(n *newcomer) {
		c := e.register(n)
		if c == nil {
			e.totals.rejected.Add(1)
			e.refused(noSeat, n.nc.RemoteAddr())
			_, _ = n.nc.Write(lastFrame(noSeat.bye))
			linger(n.nc)
			return
		}
		e.leaveNursery(n.socket)
		e.open(c, n)
	})
}

func tlsFor(cfg *stdtls.Config, protos []string) (*tls.Config, error) {
	if cfg == nil {
		return nil, nil
	}
	return convertTLS(cfg, protos)
}

// startTLS sets the deadline of the handshake and runs that of TLS, if cfg is not nil. False: it failed and the socket is
// closed.
func (e *Engine) startTLS(n *newcomer, cfg *tls.Config) bool {
	_ = n.socket.SetDeadline(n.deadline)
	if cfg == nil {
		return true
	}
	n.tls = newTLSConn(n.socket, cfg, e.pool)
	n.nc = n.tls
	if err := n.tls.handshake(); err != nil {
		e.totals.rejected.Add(1)
		_ = n.tls.Close()
		return false
	}
	return true
}

// accept runs an accept loop: each socket gets a goroutine that shakes hands, if cfg is not nil, runs f and owns it. It returns
// nil when the Engine is shut down, and the error of a listener that is closed by somebody else.
func (e *Engine) accept(ln net.Listener, transport Transport, cfg *tls.Config, f func(n *newcomer)) error {
	if !e.addListener(ln) {
		_ = ln.Close()
		return ErrClosed
	}
	defer e.removeListener(ln)
	var backoff time.Duration
	for {
		nc, err := ln.Accept()
		if err == nil {
			backoff = 0
			deadline := time.Now().Add(e.cfg.HandshakeTimeout)
			e.start(&newcomer{nc: nc, socket: nc, transport: transport, deadline: deadline}, cfg, f)
			continue
		}
		if e.isDown() {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		e.totals.acceptErrors.Add(1)
		backoff = nextBackoff(backoff)
		e.warn("netio: accept failed", "error", err, "again in", backoff)
		select {
		case <-time.After(backoff):
		case <-e.stopping:
			return nil
		}
	}
}

// nextBackoff is how long to wait after another error of a listener. An accept loop that does not wait at EMFILE takes a core.
func nextBackoff(last time.Duration) time.Duration {
	return min(max(2*last, acceptBackoffMin), acceptBackoffMax)
}

// start runs f(n) on a goroutine of its own, in the nursery, or turns n away.
func (e *Engine) start(n *newcomer, cfg *tls.Config, f func(n *newcomer)) {
	e.totals.accepted.Add(1)
	addr := countable(n.nc.RemoteAddr())
	if n.transport == WebSocket && e.cfg.ClientAddr != nil {
		addr = netip.Addr{} // known when its request has come
	}
	var no *refusal
	if n.place, no = e.claim(addr); no == nil {
		no = e.enter(n.socket)
	}
	if no != nil {
		e.release(&n.place)
		e.turnAway(n, cfg, no)
		return
	}
	socket := n.socket
	go func() {
		defer e.leave(n)
		defer e.release(&n.place)
		panicked := true
		e.guard(func() { // CheckOrigin and the callbacks of the TLS config are the user's
			if e.startTLS(n, cfg) {
				f(n)
			}
			panicked = false
		})
		if panicked {
			_ = socket.Close()
		}
	}()
}

// enter takes a place for a handshake and puts nc in the nursery; leave is its opposite. It refuses when there are too many, or
// the Engine is shut down.
func (e *Engine) enter(nc net.Conn) *refusal {
	if e.totals.handshakes.Add(1) > int64(e.cfg.MaxHandshakes) {
		e.totals.handshakes.Add(-1)
		return noHandshake
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isDown() {
		e.totals.handshakes.Add(-1)
		return noSeat
	}
	e.serving.Add(1)
	e.nursery[nc] = struct{}{}
	return nil
}

// leaveNursery is called when nc has become a Conn, which Shutdown finds in the registry.
func (e *Engine) leaveNursery(nc net.Conn) {
	e.mu.Lock()
	delete(e.nursery, nc)
	e.mu.Unlock()
}

func (e *Engine) leave(n *newcomer) {
	e.leaveNursery(n.socket)
	if !n.awaited {
		e.totals.handshakes.Add(-1)
	}
	e.serving.Done()
}

func (e *Engine) addListener(ln net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isDown() {
		return false
	}
	e.serving.Add(1)
	e.listeners[ln] = struct{}{}
	return true
}

func (e *Engine) removeListener(ln net.Listener) {
	_ = ln.Close()
	e.mu.Lock()
	delete(e.listeners, ln)
	e.mu.Unlock()
	e.serving.Done()
}

// isDown reports whether Shutdown has begun.
func (e *Engine) isDown() bool {
	select {
	case <-e.stopping:
		return true
	default:
		return false
	}
}

// linger closes nc after the peer has had a moment to read what was written: closing a socket that has unread input resets
// the connection, and the peer may lose the answer.
func linger(nc net.Conn) {
	if w, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	_ = nc.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	var scratch [1 << 10]byte
	for range 64 {
		if _, err := nc.Read(scratch[:]); err != nil {
			break
		}
	}
	_ = nc.Close()
}
