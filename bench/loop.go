//go:build linux

package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// loop is the load process at work: it waits for sockets, the next send that is due, or the bell.
func (l *load) loop(stop chan struct{}, dialed chan reply) {
	events := make([]unix.EpollEvent, 1024)
	for {
		l.mu.Lock()
		timeout := l.timeout()
		l.mu.Unlock()
		n, err := unix.EpollWait(l.ep, events, timeout)
		if err != nil && !errors.Is(err, unix.EINTR) {
			dialed <- reply{Err: "epoll_wait: " + err.Error()}
			return
		}
		select {
		case <-stop:
			return
		default:
		}
		l.mu.Lock()
		l.now = monotonic()
		for i := range max(n, 0) {
			l.event(&events[i])
		}
		l.dialMore()
		if r := l.dialEnded(); r != nil {
			dialed <- *r
		}
		l.keepPace()
		l.mu.Unlock()
	}
}

// timeout is how long the loop may sleep, in ms; rounded up, so that sends are made in batches of a millisecond.
func (l *load) timeout() int {
	wait := time.Second
	if l.playing && l.pacer.period > 0 {
		wait = min(wait, time.Duration(l.pacer.next()-monotonic()))
	}
	if l.dialing.open() {
		wait = min(wait, 100*time.Millisecond)
	}
	return int(max(0, (wait+time.Millisecond-1)/time.Millisecond))
}

// event handles the readiness of one socket.
func (l *load) event(ev *unix.EpollEvent) {
	if ev.Fd < 0 {
		var b [8]byte
		_, _ = unix.Read(l.bell, b[:])
		return
	}
	c := &l.conns[ev.Fd]
	if c.phase == closedPhase {
		return
	}
	if ev.Events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 && c.phase == connecting {
		l.connected(c)
		return
	}
	if ev.Events&unix.EPOLLOUT != 0 {
		l.flush(c)
	}
	if ev.Events&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0 && c.phase != closedPhase {
		l.read(c)
	}
}

// read reads once; what is left makes the socket ready again.
func (l *load) read(c *conn) {
	kept := copy(l.scratch, c.in)
	if kept == len(l.scratch) {
		l.lose(c, "a frame is longer than the buffer")
		return
	}
	n, err := unix.Read(c.fd, l.scratch[kept:])
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil:
		l.lose(c, err.Error())
		return
	case n == 0:
		l.lose(c, "the server hung up")
		return
	}
	l.received(c, l.scratch[:kept+n])
}

// received handles the bytes of c that are unread so far, and keeps what is not a whole frame.
func (l *load) received(c *conn, b []byte) {
	if c.phase == asking {
		done, err := l.asked(c, b)
		switch {
		case err != nil:
			l.lose(c, err.Error())
		case done:
			c.in = nil
		default:
			c.in = append(c.in[:0], b...)
		}
		return
	}
	if c.phase == upgrading {
		rest, done, err := l.upgraded(b)
		if err != nil {
			l.lose(c, err.Error())
			return
		}
		if !done {
			c.in = append(c.in[:0], b...)
			return
		}
		b = rest
		l.arrive(c)
	}
	for c.phase != closedPhase {
		kind, frame, rest, err := l.framing.next(b)
		if err == nil && kind == frameNone {
			break
		}
		l.bytes += uint64(len(b) - len(rest))
		b = rest
		if err == nil {
			err = l.handle(c, kind, frame)
		}
		if err != nil {
			l.lose(c, err.Error())
			return
		}
	}
	if len(b) == 0 {
		c.in = nil // most connections are between two frames, and there are many
		return
	}
	c.in = append(c.in[:0], b...)
}

// flush writes what the kernel did not take earlier.
func (l *load) flush(c *conn) {
	if len(c.out) == 0 {
		return
	}
	n, err := unix.Write(c.fd, c.out)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		l.lose(c, err.Error())
		return
	}
	c.out = c.out[max(n, 0):]
	if len(c.out) == 0 {
		c.out = nil
		l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
	}
}

// write sends b, at once or as soon as the kernel takes it.
func (l *load) write(c *conn, b []byte) {
	if c.tls != nil {
		if _, err := c.tls.Write(b); err != nil {
			l.lose(c, err.Error())
		}
		return
	}
	if len(c.out) == 0 {
		n, err := unix.Write(c.fd, b)
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			l.lose(c, err.Error())
			return
		}
		if b = b[max(n, 0):]; len(b) == 0 {
			return
		}
		l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT)
	}
	c.out = append(c.out, b...)
}

// watch tells epoll what to wait for. The number of the connection comes back with the event.
func (l *load) watch(c *conn, op int, events uint32) {
	ev := unix.EpollEvent{Events: events, Fd: c.index}
	if err := unix.EpollCtl(l.ep, op, c.fd, &ev); err != nil {
		l.lose(c, "epoll_ctl: "+err.Error())
	}
}
