package netio

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unacked is how many bytes the kernel holds that c's peer has not acknowledged, the end of the stream included.
func (c *Conn) unacked() (n int) {
	c.wmu.Lock()
	nb, b := c.nb, c.blocking
	c.wmu.Unlock()
	count := func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }
	if nb != nil {
		nb.Lock()
		defer nb.Unlock()
		if closed, _ := nb.IsClosed(); !closed {
			count(uintptr(nb.Hash()))
		}
		return n
	}
	socket := b.socket
	if u, ok := socket.(interface{ NetConn() net.Conn }); ok {
		socket = u.NetConn()
	}
	if s, ok := socket.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			_ = raw.Control(count)
		}
	}
	return n
}
