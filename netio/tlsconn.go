package netio

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lesismal/llib/std/crypto/tls"
)

// tlsConn is a server's TLS connection whose records are fed to it. The library's reading side writes too (alerts, key
// updates) and takes no lock for it, so every call into it is made under mu; and as it is always in its non-blocking mode, no
// call waits for input while holding mu. Until the socket moves to a poller tlsConn is a blocking net.Conn: that serves the
// handshake, the HTTP request and pages.
type tlsConn struct {
	net.Conn // the socket; nil once it has moved. Static while tlsConn is used as a net.Conn.
	pool     *bufPool

	mu  sync.Mutex // around all of tls; a leaf but for nbio's locks
	tls *tls.Conn
}

func newTLSConn(nc net.Conn, cfg *tls.Config, pool *bufPool) *tlsConn {
	return &tlsConn{Conn: nc, pool: pool, tls: tls.NewConn(nc, cfg, false, true, pool)}
}

// handshake runs the TLS handshake. The socket's deadline bounds it.
func (t *tlsConn) handshake() error {
	raw := t.pool.Malloc(4 << 10)
	defer t.pool.Free(raw)
	for {
		n, err := t.Conn.Read(*raw)
		if err != nil {
			return err
		}
		if _, err = t.feed((*raw)[:n], nil); err != nil {
			return err
		}
		if t.state().HandshakeComplete {
			return nil
		}
	}
}

func (t *tlsConn) state() tls.ConnectionState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tls.ConnectionState()
}

// feed gives raw bytes of the socket to TLS and reads what it can into plain, which may be raw's memory. Call it again
// without raw until it returns 0.
func (t *tlsConn) feed(raw, plain []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() { // the parser of a stranger's bytes is not ours, and a poller serves everybody
		if p := recover(); p != nil {
			n, err = 0, fmt.Errorf("netio: TLS panicked: %v", p)
		}
	}()
	_, n, err = t.tls.AppendAndRead(raw, plain)
	if n == 0 && err == nil {
		t.tls.ResetOrFreeBuffer() // what is left is less than a record
	}
	return n, err
}

// Read is net.Conn's, blocking. One goroutine at a time may read.
func (t *tlsConn) Read(p []byte) (int, error) {
	if n, err := t.feed(nil, p); n > 0 || err != nil {
		return n, err
	}
	raw := t.pool.Malloc(4 << 10)
	defer t.pool.Free(raw)
	for {
		n, err := t.Conn.Read(*raw)
		if err != nil {
			return 0, err
		}
		if n, err = t.feed((*raw)[:n], p); n > 0 || err != nil {
			return n, err
		}
	}
}

// Write is net.Conn's, blocking until the socket moves to a poller, and then not.
func (t *tlsConn) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tls.Write(p)
}

// CloseWrite says that nothing more will be written.
func (t *tlsConn) CloseWrite() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tls.CloseWrite()
}

// Close is net.Conn's. The last alert, without which a page that has no length looks cut, is left out when a Write is stuck
// in a peer that does not read.
func (t *tlsConn) Close() error {
	if t.mu.TryLock() {
		_ = t.tls.CloseWrite()
		t.mu.Unlock()
	}
	err := t.Conn.Close()
	t.free()
	return err
}

// free gives back what TLS holds; for connections whose socket has moved.
func (t *tlsConn) free() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tls.ResetConn(deadSocket{}, true, t.pool)
	_ = t.tls.Close()
}

// move makes TLS write to s from now on.
func (t *tlsConn) move(s net.Conn) {
	t.mu.Lock()
	t.tls.ResetConn(s, true, t.pool)
	t.Conn = nil
	t.mu.Unlock()
}

// tlsSink is the socket of a TLS connection on a poller. It counts ciphertext, so the connection's pending bytes reach
// zero exactly when the last of it has gone out.
type tlsSink struct {
	noDeadlines
	c *Conn
}

func (s tlsSink) Write(p []byte) (int, error) {
	s.c.pending.Add(int64(len(p)))
	return s.c.nb.Write(p)
}

// deadSocket is the socket of a TLS connection that has none any more.
type deadSocket struct{ noDeadlines }

func (deadSocket) Write([]byte) (int, error) { return 0, net.ErrClosed }

// noDeadlines is the rest of a net.Conn whose only method that matters is Write. It ignores deadlines: TLS sets a write
// deadline of "now" after its last alert, at which nbio would close the connection with bytes still queued.
type noDeadlines struct{}

func (noDeadlines) Read([]byte) (int, error)         { return 0, net.ErrClosed }
func (noDeadlines) Close() error                     { return nil }
func (noDeadlines) LocalAddr() net.Addr              { return nil }
func (noDeadlines) RemoteAddr() net.Addr             { return nil }
func (noDeadlines) SetDeadline(time.Time) error      { return nil }
func (noDeadlines) SetReadDeadline(time.Time) error  { return nil }
func (noDeadlines) SetWriteDeadline(time.Time) error { return nil }
