package netio

import (
	"bufio"
	"bytes"
	stdtls "crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	maxHead   = 8 << 10 // a request's head, in bytes
	pagesIdle = time.Minute

	// pagesWrite bounds one request of a page, handler and all. A handler that streams for longer moves it with
	// http.ResponseController.
	pagesWrite = time.Minute
)

// Serve accepts HTTP connections, over TLS if tlsConf is not nil, until Shutdown, and then returns nil. A WebSocket upgrade at
// path becomes a connection; every other request goes to pages (nil: 404). It closes ln.
func (e *Engine) Serve(ln net.Listener, tlsConf *stdtls.Config, path string, pages http.Handler) error {
	cfg, err := tlsFor(tlsConf, []string{"http/1.1"})
	if err != nil {
		return err
	}
	p := newPageServer(e, ln, path, pages)
	if !e.addPages(p) {
		_ = ln.Close()
		return ErrClosed
	}
	defer e.removePages(p)
	return e.accept(ln, WebSocket, cfg, func(n *newcomer) { e.serveHead(n, p) })
}

// serveHead reads the first request of a socket and either upgrades it or gives the socket to pages.
func (e *Engine) serveHead(n *newcomer, p *pageServer) {
	buf := e.pool.Malloc(maxHead)
	defer e.pool.Free(buf)
	size, end, herr := readHead(n.nc, *buf)
	if size == 0 && herr == errRequest {
		_ = n.nc.Close() // a port scanner, or a browser that opened one connection too many
		return
	}
	if herr != nil {
		e.reject(n, herr)
		return
	}
	head := (*buf)[:size]
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head[:end])))
	if err != nil {
		e.reject(n, errRequest)
		return
	}
	if r.URL.Path != p.path || !hasToken(r.Header, "Upgrade", "websocket") {
		p.take(n, bytes.Clone(head))
		return
	}
	r.RemoteAddr = n.nc.RemoteAddr().String()
	if n.tls != nil {
		r.TLS = convertState(n.tls.state())
	}
	if !unambiguous(head[:end]) {
		e.reject(n, errHead)
		return
	}
	accept, herr := e.checkUpgrade(r)
	if herr != nil {
		e.reject(n, herr)
		return
	}
	if e.cfg.ClientAddr != nil {
		place, no := e.claimAddr(e.cfg.ClientAddr(r))
		if no != nil {
			e.refused(no, r.RemoteAddr)
			e.reject(n, no.http)
			return
		}
		n.place = place // in the place of uncounted
	}
	n.r, n.rest = r, head[end:]
	e.upgrade(n, accept)
}

// readHead reads into buf until a request's head is complete. It returns how much it has read, and where the head ends.
func readHead(nc net.Conn, buf []byte) (size, end int, herr *httpError) {
	for size < len(buf) {
		n, err := nc.Read(buf[size:])
		from := max(size-3, 0)
		size += n
		if i := headEnd(buf[from:size]); i >= 0 {
			return size, from + i, nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return size, 0, errHeadTimeout
		}
		if err != nil {
			return size, 0, errRequest
		}
	}
	return size, 0, errHeadTooBig
}

// headEnd returns where the empty line of b ends, or -1. http.ReadRequest takes lines that end in a bare LF too.
func headEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		if bytes.HasPrefix(b[i+1:], []byte("\n")) {
			return i + 2
		}
		if bytes.HasPrefix(b[i+1:], []byte("\r\n")) {
			return i + 3
		}
	}
	return -1
}

// unambiguous reports whether a request's head has one Host, and nothing that one reader takes for a header and another one does
// not: folded lines, blanks before a colon, control characters. http.ReadRequest lets all of that pass, http.Server some.
func unambiguous(head []byte) bool {
	hosts, first := 0, true
	for line := range bytes.Lines(head) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if bytes.ContainsFunc(line, isControl) {
			return false
		}
		if first || len(line) == 0 {
			first = false
			continue
		}
		name, _, found := bytes.Cut(line, []byte(":"))
		if !found || len(name) == 0 || bytes.ContainsAny(name, " \t") {
			return false
		}
		if bytes.EqualFold(name, []byte("Host")) {
			hosts++
		}
	}
	return hosts == 1
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// reject answers a socket that does not become a connection, and closes it.
func (e *Engine) reject(n *newcomer, herr *httpError) {
	e.totals.rejected.Add(1)
	_ = n.nc.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = n.nc.Write(herr.answer())
	linger(n.nc)
}

// upgrade makes a WebSocket connection of a newcomer whose request has been checked.
func (e *Engine) upgrade(n *newcomer, accept string) {
	c := e.register(n)
	if c == nil {
		e.refused(noSeat, n.nc.RemoteAddr())
		e.reject(n, errFull)
		return
	}
	e.leaveNursery(n.socket)
	_ = n.nc.SetWriteDeadline(n.deadline)
	if _, err := n.nc.Write(switching(accept)); err != nil {
		c.lost(err)
	}
	e.open(c, n)
}

// ServeHTTP upgrades a request of any http.Server to a connection. Sockets that this package cannot move to a poller (the
// standard library's TLS, say) keep a goroutine.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	accept, herr := e.checkUpgrade(r)
	hijacker, ok := w.(http.Hijacker)
	if herr == nil && !ok {
		herr = errNoHijack
	}
	if herr == nil && e.isDown() {
		herr = errShutdown
	}
	var place int32
	if herr == nil {
		no := e.isFull()
		if no == nil {
			place, no = e.claimAddr(e.upgradeAddr(r))
		}
		if no != nil {
			e.refused(no, r.RemoteAddr)
			herr = no.http
		}
	}
	if herr == nil {
		e.hijack(w, hijacker, &newcomer{transport: WebSocket, r: r, place: place}, accept)
		return
	}
	e.totals.accepted.Add(1)
	e.totals.rejected.Add(1)
	for name, values := range herr.header() {
		w.Header()[name] = values
	}
	http.Error(w, herr.text, herr.status)
}

// hijack takes the socket of a request that may be upgraded, and upgrades it. n.place is that of its address alone.
func (e *Engine) hijack(w http.ResponseWriter, hijacker http.Hijacker, n *newcomer, accept string) {
	nc, rw, err := hijacker.Hijack()
	if err != nil {
		e.releaseAddr(n.place)
		e.totals.accepted.Add(1)
		e.totals.rejected.Add(1)
		http.Error(w, errNoHijack.text, errNoHijack.status)
		return
	}
	n.nc, n.socket, n.deadline = nc, nc, time.Now().Add(e.cfg.HandshakeTimeout)
	n.rest, _ = rw.Reader.Peek(rw.Reader.Buffered())
	if p, ok := nc.(*pageConn); !ok || !p.unwrap(n, e) {
		e.totals.accepted.Add(1)
		e.totals.sockets.Add(1) // the file is open already, and not by us
	}
	defer e.release(&n.place)
	if no := e.enter(n.socket); no != nil {
		e.totals.refused.Add(1)
		e.refused(no, nc.RemoteAddr())
		_ = nc.Close()
		return
	}
	defer e.leave(n)
	e.upgrade(n, accept)
}

// isFull says why another handshake would be too many, if it would; enter decides.
func (e *Engine) isFull() *refusal {
	t := &e.totals
	switch {
	case t.handshakes.Load() >= int64(e.cfg.MaxHandshakes):
		return noHandshake
	case e.cfg.MaxConns > 0 && t.open.Load() >= int64(e.cfg.MaxConns):
		return noSeat
	}
	return nil
}
