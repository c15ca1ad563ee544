//go:build linux

package main

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"
)

// dialTLS is the life of a TLS connection, which has a goroutine: crypto/tls wants to wait. Everything above TLS is the loop's
// code, under its lock.
func (l *load) dialTLS(c *conn) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if from := l.source(c); from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	raw, err := d.Dial("tcp", l.spec.Addr)
	if err != nil {
		l.loseTLS(c, nil, "connect: "+err.Error())
		return
	}
	_ = raw.(*net.TCPConn).SetLinger(0)                            // as hangUp
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the bench's server makes its certificate up
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := conn.Handshake(); err != nil {
		_ = raw.Close()
		l.loseTLS(c, nil, "TLS: "+err.Error())
		return
	}
	_ = conn.SetDeadline(time.Time{})
	l.mu.Lock()
	c.tls = conn
	l.greet(c)
	l.mu.Unlock()
	buf := make([]byte, 2<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			l.loseTLS(c, conn, err.Error())
			return
		}
		if !l.receivedTLS(c, conn, buf[:n]) {
			return
		}
	}
}

// receivedTLS hands bytes on. False: the connection is over.
func (l *load) receivedTLS(c *conn, conn *tls.Conn, b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.tls != conn {
		return false
	}
	under := l.dialing.under
	l.now = monotonic()
	if len(c.in) > 0 {
		b = append(c.in[:len(c.in):len(c.in)], b...)
	}
	l.received(c, b)
	if l.dialing.under != under {
		l.ring()
	}
	return c.tls == conn
}

// loseTLS is lose for the goroutine of conn.
func (l *load) loseTLS(c *conn, conn *tls.Conn, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.tls == conn {
		l.lose(c, why)
		l.ring()
	}
}
