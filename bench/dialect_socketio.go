//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	dialectSocketIO     = "socketio"
	dialectSocketIOPack = "socketio-msgpack"
)

// socketIODialect is Engine.IO 4 and Socket.IO 5 over WebSocket, in the namespace "/". The kind of room is the server's
// workload. Its first event is "seat", with the connection's seat in its room; then each event carries one binary value, the
// payload.
//
// Of the two parsers, the default one sends an event as text with a placeholder, and the payload as a frame of its own. The
// other one packs everything into one frame of msgpack.
type socketIODialect struct {
	packed  bool
	connect []byte // asks for the namespace
	pong    []byte
	event   []byte // an input: all its frames, as bytes on the wire
	payload int    // where in event the payload's bytes begin
	begins  []byte // packed: what stands before the payload of a message that counts
}

func (*socketIODialect) path(*load) string { return "/socket.io/?EIO=4&transport=websocket" }

// join prepares what is said later: a client speaks when the server has opened the session.
func (d *socketIODialect) join(l *load) []byte {
	if d.event != nil {
		return nil
	}
	d.pong = textFrame(l, "3")
	payload := make([]byte, l.spec.Send)
	if d.packed {
		d.connect = binaryFrame(l, []byte("\x82\xa4type\x00\xa3nsp\xa1/"))
		b := []byte("\x84\xa4type\x02\xa4data\x92")
		b = append(append(b, 0xa0|byte(len(l.spec.Event))), l.spec.Event...)
		b = append(append(b, binaryHead(l.spec.Send)...), payload...)
		// As the client for browsers has it, options included.
		after := "\xa7options\x81\xa8compress\xc3\xa3nsp\xa1/"
		d.event = binaryFrame(l, append(b, after...))
		d.payload = len(d.event) - len(after) - l.spec.Send
		d.begins = binaryHead(l.spec.Receive)
		return nil
	}
	d.connect = textFrame(l, "40")
	d.event = textFrame(l, fmt.Sprintf(`451-[%q,{"_placeholder":true,"num":0}]`, l.spec.Event))
	d.event = append(d.event, binaryFrame(l, payload)...)
	d.payload = len(d.event) - l.spec.Send
	return nil
}

func binaryFrame(l *load, b []byte) []byte {
	out := append(make([]byte, headroom), b...)
	return out[l.framing.put(out, headroom):]
}

func textFrame(l *load, s string) []byte {
	b := binaryFrame(l, []byte(s))
	b[0] = 0x81
	return b
}

// binaryHead is what stands before n bytes in msgpack.
func binaryHead(n int) []byte {
	if n < 256 {
		return []byte{0xc4, byte(n)}
	}
	return binary.BigEndian.AppendUint16([]byte{0xc5}, uint16(n))
}

func (d *socketIODialect) input(_ *load, _ *conn, stamp int64, number uint64) []byte {
	putStamp(d.event[d.payload:], stamp)
	binary.LittleEndian.PutUint64(d.event[d.payload+stampSize:], number)
	return d.event
}

func (*socketIODialect) acknowledge(*load, *conn) []byte { return nil }

// frame handles a frame. c.seq counts the attachments that are still to come.
func (d *socketIODialect) frame(l *load, c *conn, b []byte) error {
	switch {
	case c.seq > 0:
		c.seq--
		d.message(l, c, b)
		return nil
	case len(b) == 0:
		return errors.New("an empty packet")
	case d.packed && b[0]&0xf0 == 0x80:
		return d.unpack(l, c, b)
	}
	switch b[0] {
	case '0':
		l.write(c, d.connect)
		return nil
	case '2':
		l.write(c, d.pong)
		return nil
	case '4':
		return d.text(l, c, b[1:])
	case '1':
		return errServerCloses
	}
	return nil
}

var seatText = []byte(`["seat",`)

// text handles a packet of the default parser.
func (*socketIODialect) text(l *load, c *conn, b []byte) error {
	switch {
	case len(b) == 0:
		return errors.New("an empty packet")
	case b[0] == '1' || b[0] == '4':
		return fmt.Errorf("the server refuses: %s", b)
	case b[0] == '5':
		n, _, ok := bytes.Cut(b[1:], []byte{'-'})
		if !ok || len(n) != 1 || n[0] < '0' || n[0] > '9' {
			return fmt.Errorf("an event of how many attachments? %.20s", b)
		}
		c.seq = uint64(n[0] - '0')
	case b[0] == '2' && bytes.HasPrefix(b[1:], seatText):
		seat := 0
		for _, digit := range b[1+len(seatText):] {
			if digit < '0' || digit > '9' {
				break
			}
			seat = seat*10 + int(digit-'0')
		}
		l.sit(c, seat)
	}
	return nil
}

// unpack handles a packet in msgpack. It looks for what it needs; the rest is of no interest to a load generator.
func (d *socketIODialect) unpack(l *load, c *conn, b []byte) error {
	if _, after, ok := bytes.Cut(b, []byte("\xa4type")); ok && len(after) > 0 && (after[0] == 1 || after[0] == 4) {
		return fmt.Errorf("the server refuses: %q", b)
	}
	if c.phase == joining {
		if _, after, ok := bytes.Cut(b, []byte("\xa4seat")); ok && len(after) > 0 {
			l.sit(c, int(after[0]))
		}
		return nil
	}
	if _, after, ok := bytes.Cut(b, d.begins); ok && len(after) >= l.spec.Receive {
		d.message(l, c, after[:l.spec.Receive])
	}
	return nil
}

func (*socketIODialect) message(l *load, c *conn, payload []byte) {
	if len(payload) == l.spec.Receive {
		l.heard(c, payload)
		l.frames++
		l.react(c, payload)
	}
}
