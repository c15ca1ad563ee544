//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/sys/unix"
)

// conn is one connection of a load process.
type conn struct {
	index int32
	phase phase
	tries uint8
	slot  uint16 // of its stamp in the payloads that it receives
	fd    int
	tls   *tls.Conn // nil: the loop reads and writes fd
	seq   uint64    // of the last packet that it has sent
	tick  uint64    // the last one that it has processed
	last  int64     // the last stamp that has come back
	in    []byte    // the beginning of a frame
	out   []byte    // what the kernel has not taken
}

type phase uint8

const (
	closedPhase phase = iota
	connecting        // until the socket is writable
	asking            // until HTTP has answered what comes before the upgrade
	upgrading         // until HTTP's 101
	joining           // until the room has let it in
	playing
)

// lose ends a connection. During dialling it is tried again a few times.
func (l *load) lose(c *conn, why string) {
	if c.phase == closedPhase {
		return
	}
	was := c.phase
	c.phase = closedPhase
	if c.tls != nil {
		go c.tls.Close() // it may wait
		c.tls = nil
	} else if c.fd > 0 {
		_ = unix.Close(c.fd)
	}
	c.fd, c.in, c.out = 0, nil, nil
	switch {
	case was == playing:
		l.live--
		l.closed[why]++
	case l.dialing.open():
		l.dialing.under--
		if c.tries < maxTries {
			l.dialing.again = append(l.dialing.again, c.index)
			return
		}
		l.dialing.failed++
		l.closed["not joined: "+why]++
	default:
		l.closed["not joined: "+why]++
	}
}

const maxTries = 5

// connected goes on once a socket is.
func (l *load) connected(c *conn) {
	errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	if err != nil {
		l.lose(c, "connect: "+err.Error())
		return
	}
	l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
	l.greet(c)
}

// greet begins the conversation on a transport that is ready.
func (l *load) greet(c *conn) {
	if l.spec.Transport == "tcp" {
		l.arrive(c)
		return
	}
	if a, ok := l.dialect.(asker); ok {
		c.phase = asking
		l.write(c, a.ask(l))
		return
	}
	if l.hello == nil {
		l.hello = l.upgradeRequest(l.dialect.path(l))
	}
	c.phase = upgrading
	l.write(c, l.hello)
}

func (l *load) upgradeRequest(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, l.spec.Addr)
}

// asker is a dialect that asks for something by HTTP before the upgrade, on the same connection.
type asker interface {
	// ask is the request.
	ask(l *load) []byte
	// told takes the body of the answer and returns the path of the upgrade.
	told(body []byte) (string, error)
}

// asked takes the answer, and goes on with the upgrade. False: there is more of it to come.
func (l *load) asked(c *conn, b []byte) (done bool, err error) {
	if !bytes.Contains(b, []byte("\r\n\r\n")) && len(b) < longestAnswer {
		return false, nil
	}
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	var body []byte
	if err == nil {
		defer answer.Body.Close()
		body, err = io.ReadAll(answer.Body)
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && len(b) < longestAnswer:
		return false, nil
	case err != nil:
		return false, err
	case answer.StatusCode != http.StatusOK:
		return false, fmt.Errorf("the server answers %s: %.100s", answer.Status, body)
	}
	path, err := l.dialect.(asker).told(body)
	if err != nil {
		return false, err
	}
	c.phase = upgrading
	l.write(c, l.upgradeRequest(path))
	return true, nil
}

// longestAnswer is as much of HTTP as a load generator reads.
const longestAnswer = 16 << 10

var switching = []byte("HTTP/1.1 101 ")

// upgraded looks for the end of the server's answer to the upgrade.
func (l *load) upgraded(b []byte) (rest []byte, done bool, err error) {
	i := bytes.Index(b, []byte("\r\n\r\n"))
	switch {
	case i < 0 && len(b) > longestAnswer:
		return nil, false, errors.New("the answer to the upgrade has no end")
	case i < 0:
		return nil, false, nil
	case !bytes.HasPrefix(b, switching):
		line, _, _ := bytes.Cut(b, []byte("\r\n"))
		return nil, false, fmt.Errorf("the server refuses the upgrade: %s", line)
	}
	return b[i+4:], true, nil
}

// arrive says who we are and where we want to go.
func (l *load) arrive(c *conn) {
	c.phase = joining
	if b := l.dialect.join(l); len(b) > 0 {
		l.write(c, b)
	}
}

// entered counts a connection that a room has let in.
func (l *load) entered(c *conn, slot int) {
	if c.phase != joining {
		return
	}
	c.phase, c.slot = playing, uint16(slot)
	l.joined++
	l.live++
	if l.dialing.open() {
		l.dialing.under--
	}
}

var errServerCloses = errors.New("the server closes")

// handle handles one frame.
func (l *load) handle(c *conn, kind frameKind, frame []byte) error {
	switch kind {
	case frameData:
		return l.dialect.frame(l, c, frame)
	case framePing:
		b := append(make([]byte, headroom, headroom+len(frame)), frame...)
		at := l.framing.put(b, headroom)
		b[at] = 0x8a
		l.write(c, b[at:])
	case frameClose:
		if len(frame) >= 2 {
			return fmt.Errorf("the server closes: %d %s", int(frame[0])<<8|int(frame[1]), frame[2:])
		}
		return errServerCloses
	}
	return nil
}

// sendInput sends c's next input, stamped, if its connection is ready for one.
func (l *load) sendInput(c *conn, stamp int64) {
	if c.phase != playing || len(c.out) > 0 {
		return
	}
	l.sent++
	l.write(c, l.dialect.input(l, c, stamp, 0))
}

// heard counts one message that c has received.
func (l *load) heard(c *conn, payload []byte) {
	l.messages++
	at := int(c.slot) * stampSize
	if at+stampSize > len(payload) {
		return
	}
	if s := stampIn(payload[at:]); s != 0 && s != c.last {
		c.last = s
		l.answers++
		l.latency.record(l.now - s)
	}
}
