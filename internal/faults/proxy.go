package faults

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a listener whose connections go to another address, and are damaged on the way.
type Proxy struct {
	// Static after construction.
	ln     net.Listener
	target string
	plan   func(n int) Plan

	running sync.WaitGroup
	cuts    [Hows]atomic.Int64

	mu     sync.Mutex
	links  map[*link]bool // guarded by mu
	closed bool           // guarded by mu
}

// Listen makes a proxy to the address target. plan says what happens to its n-th connection, counted from 0.
func Listen(target string, plan func(n int) Plan) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, target: target, plan: plan, links: map[*link]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Cuts returns how many connections were cut, by the way in which they were.
func (p *Proxy) Cuts() (by [Hows]int) {
	for how := range by {
		by[how] = int(p.cuts[how].Load())
	}
	return by
}

// Close ends the listener and all connections, and waits for the goroutines.
func (p *Proxy) Close() {
	_ = p.ln.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.abort()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for n := 0; ; n++ {
		conn, err := p.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // no descriptor is free
			continue
		}
		p.running.Go(func() { p.serve(conn.(*net.TCPConn), p.plan(n)) })
	}
}

func (p *Proxy) serve(client *net.TCPConn, plan Plan) {
	conn, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		reset(client)
		return
	}
	l := newLink(client, conn.(*net.TCPConn), plan, &p.cuts)
	p.mu.Lock()
	if p.closed {
		l.abort()
	} else {
		p.links[l] = true
	}
	p.mu.Unlock()
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// reset closes a connection so that its peer finds a reset, and what is in its buffers is lost.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
