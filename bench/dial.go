//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// dialing is the state of a load process that connects.
type dialing struct {
	target int       // how many connections there are to be; 0: not dialling
	next   int       // the first that has not been tried
	under  int       // handshakes under way
	again  []int32   // to be tried again
	failed int       // given up
	seen   int       // joined, when last looked at
	moved  time.Time // when that last changed
}

func (d *dialing) open() bool { return d.target > 0 }

// stuck is how long dialling may stand still.
const stuck = 20 * time.Second

// dial begins to connect n more.
func (l *load) dial(n int) error {
	if l.dialing.open() {
		return errors.New("dialling already")
	}
	from := len(l.conns)
	if from+n > l.spec.Conns {
		return fmt.Errorf("%d connections and %d more are more than the %d of the spec", from, n, l.spec.Conns)
	}
	if l.conns == nil {
		l.conns = make([]conn, 0, l.spec.Conns) // never moved: TLS goroutines point into it
	}
	l.conns = l.conns[:from+n]
	for i := from; i < from+n; i++ {
		l.conns[i].index = int32(i)
	}
	l.dialing = dialing{target: from + n, next: from, moved: time.Now(), seen: l.joined}
	l.ring()
	return nil
}

// dialMore starts handshakes, as many as may be under way.
func (l *load) dialMore() {
	d := &l.dialing
	for d.open() && d.under < l.spec.AtOnce {
		var i int32
		switch {
		case len(d.again) > 0:
			i = d.again[len(d.again)-1]
			d.again = d.again[:len(d.again)-1]
		case d.next < d.target:
			i = int32(d.next)
			d.next++
		default:
			return
		}
		c := &l.conns[i]
		c.tries++
		c.phase = connecting
		d.under++
		if l.spec.TLS {
			go l.dialTLS(c)
			continue
		}
		if err := l.connect(c); err != nil {
			l.lose(c, "connect: "+err.Error())
		}
	}
}

// dialEnded returns the answer to the command when there is nothing left to dial.
func (l *load) dialEnded() *reply {
	d := &l.dialing
	if !d.open() {
		return nil
	}
	now := time.Now()
	if l.joined != d.seen {
		d.seen, d.moved = l.joined, now
	}
	switch {
	case now.Sub(d.moved) > stuck:
		err := fmt.Sprintf("dialling stands still at %d of %d connections; %d handshakes are under way; lost: %v",
			l.joined, d.target, d.under, l.closed)
		*d = dialing{}
		return &reply{Err: err}
	case d.under > 0 || d.next < d.target || len(d.again) > 0:
		return nil
	}
	*d = dialing{}
	return &reply{Load: l.counts()}
}

// connect opens a socket and begins to connect it.
func (l *load) connect(c *conn) error {
	to, err := netip.ParseAddrPort(l.spec.Addr)
	if err != nil {
		return err
	}
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	c.fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if from := l.source(c); from.IsValid() && family == unix.AF_INET {
		// The port is chosen by connect, which knows that one port serves many destinations.
		_ = unix.SetsockoptInt(c.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(c.fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
			return err
		}
	}
	var sa unix.Sockaddr = &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if family == unix.AF_INET {
		sa = &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	if err := unix.Connect(c.fd, sa); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	l.watch(c, unix.EPOLL_CTL_ADD, unix.EPOLLOUT)
	return nil
}

// source is the local address of c; the zero Addr means any.
func (l *load) source(c *conn) netip.Addr {
	if len(l.spec.Sources) == 0 {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(l.spec.Sources[int(c.index)%len(l.spec.Sources)])
	return a
}
