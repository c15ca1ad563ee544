package netio

import (
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lesismal/llib/std/crypto/tls"

	"github.com/volley-go/volley/codec"
)

// A socket passes the door before anything of it is read: the server has a place for it, and its address may have one more. Its
// newcomer, later its pageConn or its Conn, holds the place and gives it back with the socket's end.

const (
	// uncounted is the place of a socket that counts under no address.
	uncounted int32 = -1
	// maxTold bounds the sockets that are being told why they may not come in. In a flood the others are closed without a word.
	maxTold = 64
)

// refusal is why a socket, or a request for an upgrade, may not come in.
type refusal struct {
	http  *httpError
	bye   *codec.Error
	count func(t *totals) *atomic.Uint64
	log   string
	field string // of Config, for the log line
}

var (
	noSeat = &refusal{errFull, errServerFull, (*totals).fullCount,
		"netio: the server is full; newcomers are refused", "MaxConns"}
	noHandshake = &refusal{errFull, errServerFull, (*totals).fullCount,
		"netio: too many handshakes at once; newcomers are refused", "MaxHandshakes"}
	noFile = &refusal{errFull, errServerFull, (*totals).fullCount,
		"netio: the open files are used up but for a reserve; newcomers are refused", "the limit of open files"}
	noMore = &refusal{errTooMany, errManySockets, (*totals).crowdedCount,
		"netio: an address has too many sockets; it gets no more (are players behind a proxy? see ClientAddr)", "ConnsPerAddress"}
	notSoFast = &refusal{errTooFast, errManyHandshakes, (*totals).hastyCount,
		"netio: an address connects too fast; some are refused (are players behind a proxy? see ClientAddr)",
		"HandshakesPerSecondPerAddress"}
)

// What a refused socket is told over TCP. They are shared and never changed.
var (
	errServerFull     = &codec.Error{Code: codec.Overloaded, Reason: errFull.text}
	errManySockets    = &codec.Error{Code: codec.RateLimited, Reason: errTooMany.text}
	errManyHandshakes = &codec.Error{Code: codec.RateLimited, Reason: errTooFast.text}
)

func (t *totals) fullCount() *atomic.Uint64    { return &t.full }
func (t *totals) crowdedCount() *atomic.Uint64 { return &t.crowded }
func (t *totals) hastyCount() *atomic.Uint64   { return &t.hasty }

// refused counts and logs a refusal.
func (e *Engine) refused(no *refusal, remote any) {
	no.count(&e.totals).Add(1)
	e.warn(no.log, "limit", no.field, "remote", remote)
}

// claim takes a place for a socket, for release. addr may be none.
func (e *Engine) claim(addr netip.Addr) (place int32, no *refusal) {
	if e.totals.sockets.Add(1) > e.maxSockets {
		e.totals.sockets.Add(-1)
		return 0, noFile
	}
	if place, no = e.claimAddr(addr); no != nil {
		e.totals.sockets.Add(-1)
	}
	return place, no
}

// claimAddr takes a place for a socket under its address alone.
func (e *Engine) claimAddr(addr netip.Addr) (place int32, no *refusal) {
	if !addr.IsValid() || e.cfg.ConnsPerAddress < 0 && e.cfg.HandshakesPerSecondPerAddress < 0 {
		return uncounted, nil
	}
	place, crowd := e.addrs().take(addr, e.now())
	switch {
	case crowd == tooMany:
		return 0, noMore
	case crowd == tooFast:
		return 0, notSoFast
	case place == 0:
		return uncounted, nil
	}
	return place, nil
}

// release gives a place back, once.
func (e *Engine) release(place *int32) {
	if *place == 0 {
		return
	}
	if *place > 0 {
		e.addrs().give(*place)
	}
	*place = 0
	e.totals.sockets.Add(-1)
}

// releaseAddr gives back what claimAddr took.
func (e *Engine) releaseAddr(place int32) {
	if place > 0 {
		e.addrs().give(place)
	}
}

// upgradeAddr is the address that an upgrade counts under, if its socket does not count under one already.
func (e *Engine) upgradeAddr(r *http.Request) netip.Addr {
	if e.cfg.ClientAddr != nil {
		return e.cfg.ClientAddr(r)
	}
	if c, ok := r.Context().Value(pageKey{}).(*pageConn); ok && c.e == e {
		return netip.Addr{}
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return countable(net.TCPAddrFromAddrPort(at))
}

// turnAway tells a socket that has not got past the door why, and closes it.
func (e *Engine) turnAway(n *newcomer, cfg *tls.Config, no *refusal) {
	e.totals.refused.Add(1)
	e.refused(no, n.nc.RemoteAddr())
	if !e.beginTelling() {
		_ = n.nc.Close()
		return
	}
	go func() {
		defer e.serving.Done()
		defer e.telling.Add(-1)
		_ = n.nc.SetWriteDeadline(time.Now().Add(time.Second))
		switch {
		case cfg != nil:
			// An alert of TLS before its handshake, which is what the door spares us: fatal, access denied.
			_, _ = n.nc.Write([]byte{21, 3, 3, 0, 2, 2, 49})
		case n.transport == TCP:
			_, _ = n.nc.Write(lastFrame(no.bye))
		default:
			_, _ = n.nc.Write(no.http.answer())
		}
		linger(n.nc)
	}()
}

// beginTelling reports whether somebody may be told, which Shutdown then waits for.
func (e *Engine) beginTelling() bool {
	if e.telling.Add(1) > maxTold {
		e.telling.Add(-1)
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isDown() {
		e.telling.Add(-1)
		return false
	}
	e.serving.Add(1)
	return true
}

// lastFrame is a BYE as the TCP transport carries it.
func lastFrame(why *codec.Error) []byte {
	bye := codec.AppendBye(nil, why.Code, why.Reason, 0, "")
	return append([]byte{0, 0, 0, byte(len(bye))}, bye...)
}

// openFiles is how many files the process may have open.
func openFiles() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 1 << 10
	}
	return int(min(uint64(l.Cur), 1<<30)) //nolint:unconvert // it is signed on some systems
}

// fileReserve is what of limit is left to the program and its libraries: files, databases, outgoing connections.
func fileReserve(limit int) int { return min(max(limit/20, 16), 1<<10) }

// defaultConns leaves sockets for handshakes and pages, between the connections and the reserve.
func defaultConns(limit int) int {
	return max(limit-fileReserve(limit)*3/2, 1)
}
