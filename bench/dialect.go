//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/volley-go/volley/codec"
)

// dialect is what a load process and a server say to each other in frames.
type dialect interface {
	// path is what a WebSocket upgrade asks for.
	path(l *load) string
	// join is what a connection sends first, as bytes on the wire; it belongs to the dialect.
	join(l *load) []byte
	// frame handles a frame of the server's.
	frame(l *load, c *conn, b []byte) error
	// input is c's next input, as bytes on the wire; it belongs to the dialect.
	input(l *load, c *conn, stamp int64, number uint64) []byte
	// acknowledge is c's word that it is there and has everything so far; nil if there is no such word.
	acknowledge(l *load, c *conn) []byte
}

const (
	dialectVolley = "volley"
	dialectBare   = "bare"
)

func stampIn(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }

func putStamp(b []byte, s int64) { binary.LittleEndian.PutUint64(b, uint64(s)) }

// volleyDialect is docs/protocol.md, on channel 0.
type volleyDialect struct {
	joining []byte // HELLO and JOIN
	packet  []byte // headroom, room for a VOLLEY's beginning, and the packet of an input; nil before the first WELCOME
	payload int    // where in packet the payload's bytes begin
}

func (*volleyDialect) path(*load) string { return "/volley" }

func (d *volleyDialect) join(l *load) []byte {
	if d.joining == nil {
		for _, f := range [][]byte{
			codec.AppendHello(nil, nil), codec.AppendJoin(nil, 0, codec.JoinOrCreate, l.spec.Kind, nil),
		} {
			b := append(make([]byte, headroom), f...)
			d.joining = append(d.joining, b[l.framing.put(b, headroom):]...)
		}
	}
	return d.joining
}

const packetAt = headroom + codec.MaxPrefix

// prepare builds the packet of an input. The event table is the same for all connections to a server.
func (d *volleyDialect) prepare(l *load, names []string) {
	b := make([]byte, packetAt)
	if i := slices.Index(names, l.spec.Event); i >= 0 {
		b = codec.AppendEvent(b, i)
	} else {
		b = codec.AppendNamedEvent(b, l.spec.Event)
	}
	if l.spec.Send < 256 {
		b = append(b, 0xc4, byte(l.spec.Send))
	} else {
		b = append(b, 0xc5, byte(l.spec.Send>>8), byte(l.spec.Send))
	}
	d.payload = len(b)
	d.packet = append(b, make([]byte, l.spec.Send)...)
}

func (d *volleyDialect) input(l *load, c *conn, stamp int64, number uint64) []byte {
	putStamp(d.packet[d.payload:], stamp)
	binary.LittleEndian.PutUint64(d.packet[d.payload+stampSize:], number)
	c.seq++
	at := codec.PutVolley(d.packet, packetAt, 0, c.seq, c.tick, 1)
	return d.packet[l.framing.put(d.packet, at):]
}

func (d *volleyDialect) acknowledge(l *load, c *conn) []byte {
	b := d.packet[:packetAt]
	at := codec.PutVolley(b, packetAt, 0, c.seq+1, c.tick, 0)
	return b[l.framing.put(b, at):]
}

func (d *volleyDialect) frame(l *load, c *conn, b []byte) error {
	r := codec.NewReader(b, codec.ServerLimits)
	t, n, err := r.Frame()
	if err != nil {
		return err
	}
	switch t {
	case codec.FrameVolley:
		return d.volley(l, c, &r, n)
	case codec.FrameWelcome:
		if d.packet != nil {
			return nil
		}
		w, err := r.Welcome(n)
		d.prepare(l, w.Names)
		return err
	case codec.FrameJoined:
		j, err := r.Joined(n)
		c.tick = j.Tick
		if err == nil {
			l.sit(c, int(j.Client-1))
		}
		return err
	case codec.FramePing:
		stamp, err := r.Stamp(n)
		if err == nil {
			f := codec.AppendPong(make([]byte, headroom, headroom+16), stamp)
			l.write(c, f[l.framing.put(f, headroom):])
		}
		return err
	case codec.FrameLeft, codec.FrameBye, codec.FrameNotice:
		e, err := r.Reasoned(t, n)
		if err == nil {
			err = fmt.Errorf("the server says %v %s", e.Code, e.Reason)
		}
		return err
	}
	return nil
}

func (d *volleyDialect) volley(l *load, c *conn, r *codec.Reader, n int) error {
	v, err := r.ServerVolley(n)
	if err != nil {
		return err
	}
	c.tick = v.Tick
	l.packets, err = r.Packets(n, l.packets[:0])
	if err != nil {
		return err
	}
	before := l.messages
	var last []byte
	for i := range l.packets {
		if p := binary8or16(l.packets[i].Payload); len(p) == l.spec.Receive {
			l.heard(c, p)
			last = p
		}
	}
	if l.messages > before {
		l.frames++
		l.react(c, last)
	}
	return nil
}

// binary8or16 is what a msgpack binary value of up to 64 KiB holds; nil for other values.
func binary8or16(b []byte) []byte {
	switch {
	case len(b) > 2 && b[0] == 0xc4:
		return b[2:]
	case len(b) > 3 && b[0] == 0xc5:
		return b[3:]
	}
	return nil
}

// sit counts a connection that has a seat in its room; its stamp is at that place of a payload.
func (l *load) sit(c *conn, seat int) {
	slot := 0
	if l.spec.Seats > 0 {
		slot = seat % l.spec.Seats
	}
	l.entered(c, slot)
}

// bareDialect is for servers without a protocol: a message is a payload and nothing else. The upgrade's path is the kind of
// room; the server's first message is one byte, the connection's seat in its room.
type bareDialect struct {
	buf []byte
}

func (*bareDialect) path(l *load) string { return "/" + l.spec.Kind }

func (d *bareDialect) join(l *load) []byte {
	d.buf = make([]byte, headroom+l.spec.Send)
	if l.spec.Transport != "tcp" {
		return nil
	}
	b := append(make([]byte, headroom), l.spec.Kind...)
	return b[l.framing.put(b, headroom):]
}

func (d *bareDialect) frame(l *load, c *conn, b []byte) error {
	if c.phase == joining && len(b) == 1 {
		l.sit(c, int(b[0]))
		return nil
	}
	if len(b) == l.spec.Receive {
		l.heard(c, b)
		l.frames++
		l.react(c, b)
	}
	return nil
}

func (d *bareDialect) input(l *load, _ *conn, stamp int64, number uint64) []byte {
	putStamp(d.buf[headroom:], stamp)
	binary.LittleEndian.PutUint64(d.buf[headroom+stampSize:], number)
	return d.buf[l.framing.put(d.buf, headroom):]
}

func (*bareDialect) acknowledge(*load, *conn) []byte { return nil }
