package netio

import (
	"context"
	stdtls "crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// pageServer is the standard HTTP server behind a Serve. Its listener yields the sockets whose first request was no upgrade.
type pageServer struct {
	e    *Engine
	srv  *http.Server
	path string
	addr net.Addr

	conns chan net.Conn // unbuffered: a socket is the server's, or still its goroutine's
	once  sync.Once
	done  chan struct{} // closed by Close
}

// pageKey is the key of a request's *pageConn in its context.
type pageKey struct{}

func newPageServer(e *Engine, ln net.Listener, path string, pages http.Handler) *pageServer {
	if pages == nil {
		pages = http.NotFoundHandler()
	}
	p := &pageServer{e: e, path: path, addr: ln.Addr(), conns: make(chan net.Conn), done: make(chan struct{})}
	p.srv = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, ok := r.Context().Value(pageKey{}).(*pageConn); ok {
				r.TLS = c.state
			}
			if r.URL.Path == path {
				e.ServeHTTP(w, r)
			} else {
				pages.ServeHTTP(w, r)
			}
		}),
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, pageKey{}, nc)
		},
		ReadHeaderTimeout: e.cfg.HandshakeTimeout,
		ReadTimeout:       e.cfg.HandshakeTimeout, // a body that never comes holds one of few places
		WriteTimeout:      pagesWrite,
		IdleTimeout:       pagesIdle,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	return p
}

// addPages starts p. False: Shutdown has begun.
func (e *Engine) addPages(p *pageServer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isDown() {
		return false
	}
	e.serving.Add(1)
	e.pages[p] = struct{}{}
	go func() {
		defer e.serving.Done()
		_ = p.srv.Serve(p)
	}()
	return true
}

// removePages ends p when its Serve ends for another reason than Shutdown.
func (e *Engine) removePages(p *pageServer) {
	if e.isDown() {
		return
	}
	_ = p.srv.Close()
	e.mu.Lock()
	delete(e.pages, p)
	e.mu.Unlock()
}

// shutdown gives requests that are being answered a second.
func (p *pageServer) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = p.srv.Shutdown(ctx)
	_ = p.srv.Close()
}

// take gives a newcomer's socket to the server; head is what has been read of it.
func (p *pageServer) take(n *newcomer, head []byte) {
	if p.e.totals.pageConns.Add(1) > int64(p.e.cfg.MaxHandshakes) {
		p.e.totals.pageConns.Add(-1)
		p.e.refused(noHandshake, n.nc.RemoteAddr())
		p.e.reject(n, errFull)
		return
	}
	c := &pageConn{Conn: n.nc, e: p.e, socket: n.socket, tls: n.tls, prefix: head, place: n.place}
	n.place = 0
	if n.tls != nil {
		c.state = convertState(n.tls.state())
	}
	_ = n.nc.SetDeadline(time.Time{})
	select {
	case p.conns <- c:
	case <-p.done:
		_ = c.Close()
	}
}

// Accept, Close and Addr are net.Listener's.
func (p *pageServer) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pageServer) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pageServer) Addr() net.Addr { return p.addr }

// pageConn is a socket of pages. It first reads what had been read of it before.
type pageConn struct {
	net.Conn
	e      *Engine
	socket net.Conn
	tls    *tlsConn
	state  *stdtls.ConnectionState // nil: no TLS
	prefix []byte                  // of the goroutine that reads
	once   sync.Once
	place  int32 // for release; nobody's once it has left
}

func (c *pageConn) Read(b []byte) (int, error) {
	if len(c.prefix) > 0 {
		n := copy(b, c.prefix)
		if c.prefix = c.prefix[n:]; len(c.prefix) == 0 {
			c.prefix = nil
		}
		return n, nil
	}
	return c.Conn.Read(b)
}

func (c *pageConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// CloseWrite lets the server say the end before it closes.
func (c *pageConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

func (c *pageConn) leave() {
	c.once.Do(func() {
		c.e.totals.pageConns.Add(-1)
		c.e.release(&c.place)
	})
}

// unwrap makes n's socket, which was hijacked from pages, what it was before. Its place is now n's; if n has one under an
// address, the socket had none. ours is false if the pages were another Engine's, which then has nothing more to do with it.
func (c *pageConn) unwrap(n *newcomer, e *Engine) (ours bool) {
	ours = c.e == e
	if ours {
		c.once.Do(func() {
			e.totals.pageConns.Add(-1)
			if n.place <= 0 {
				n.place = c.place
			}
			c.place = 0
		})
	} else {
		c.leave()
	}
	n.nc, n.socket, n.tls = c.Conn, c.socket, c.tls
	if len(c.prefix) > 0 {
		n.rest = append(n.rest[:len(n.rest):len(n.rest)], c.prefix...)
	}
	return ours
}
