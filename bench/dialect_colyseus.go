//go:build linux

package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

const dialectColyseus = "colyseus"

// The first bytes of Colyseus' messages.
const (
	colyseusJoin  = 10 // from the server: you are in; back: I have understood, go on
	colyseusError = 11
	colyseusBytes = 17 // a type, which is a string of msgpack, and bytes
)

// colyseusDialect is Colyseus 0.18. A client asks for a seat by HTTP, and then opens the WebSocket that it is told of. Its
// payloads travel as bytes. The first message is "seat", with one byte: the connection's seat in its room.
type colyseusDialect struct {
	joined  []byte
	message []byte // an input, as bytes on the wire
	payload int    // where in message the payload's bytes begin
}

// path is never asked for, since each connection has its own.
func (*colyseusDialect) path(*load) string { return "/" }

// ask is the request for a seat.
func (d *colyseusDialect) ask(l *load) []byte {
	return fmt.Appendf(nil, "POST /matchmake/joinOrCreate/%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"+
		"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", l.spec.Kind, l.spec.Addr)
}

// told reads the answer, and returns the path of the WebSocket.
func (d *colyseusDialect) told(body []byte) (string, error) {
	var seat struct {
		ProcessID string `json:"processId"`
		RoomID    string `json:"roomId"`
		SessionID string `json:"sessionId"`
		Error     string `json:"error"`
	}
	if err := json.Unmarshal(body, &seat); err != nil {
		return "", err
	}
	if seat.SessionID == "" || seat.RoomID == "" {
		return "", fmt.Errorf("no seat: %.100s", body)
	}
	return "/" + seat.ProcessID + "/" + seat.RoomID + "?sessionId=" + url.QueryEscape(seat.SessionID), nil
}

// join prepares what is said later: the server speaks first.
func (d *colyseusDialect) join(l *load) []byte {
	if d.message == nil {
		d.joined = binaryFrame(l, []byte{colyseusJoin})
		b := append([]byte{colyseusBytes, 0xa0 | byte(len(l.spec.Event))}, l.spec.Event...)
		d.message = binaryFrame(l, append(b, make([]byte, l.spec.Send)...))
		d.payload = len(d.message) - l.spec.Send
	}
	return nil
}

func (d *colyseusDialect) input(_ *load, _ *conn, stamp int64, number uint64) []byte {
	putStamp(d.message[d.payload:], stamp)
	binary.LittleEndian.PutUint64(d.message[d.payload+stampSize:], number)
	return d.message
}

func (*colyseusDialect) acknowledge(*load, *conn) []byte { return nil }

func (d *colyseusDialect) frame(l *load, c *conn, b []byte) error {
	if len(b) == 0 {
		return errors.New("an empty message")
	}
	switch b[0] {
	case colyseusJoin:
		l.write(c, d.joined)
	case colyseusError:
		return fmt.Errorf("the server refuses: %q", b[1:])
	case colyseusBytes:
		if len(b) < 2 || b[1]&0xe0 != 0xa0 || len(b) < 2+int(b[1]&0x1f) {
			return fmt.Errorf("a message without a type: % .20x", b)
		}
		n := 2 + int(b[1]&0x1f)
		name, payload := b[2:n], b[n:]
		switch {
		case c.phase == joining && string(name) == "seat" && len(payload) == 1:
			l.sit(c, int(payload[0]))
		case len(payload) == l.spec.Receive:
			l.heard(c, payload)
			l.frames++
			l.react(c, payload)
		}
	}
	return nil
}
