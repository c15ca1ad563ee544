package socketio

import (
	"bytes"

	"github.com/volley-go/volley/codec"
)

// packetType is the type of a Socket.IO packet, as on the wire.
type packetType uint8

const (
	connectPacket packetType = iota
	disconnectPacket
	eventPacket
	ackPacket
	connectErrorPacket

	// On the wire only: an event and an acknowledgement whose binary values follow in messages of their own.
	binaryEvent
	binaryAck
)

// noID is the id of a packet that has none.
const noID = -1

// packet is a Socket.IO packet of either parser.
type packet struct {
	kind packetType
	nsp  string // "/" is the main namespace
	id   int64  // of an acknowledgement; noID: none
	// data is one checked msgpack value, or nothing. CONNECT: a map or nothing. An event: an array of its name and its arguments.
	// An acknowledgement: an array of its arguments. CONNECT_ERROR: a map with message and maybe data.
	data []byte
}

// parser is how packets are written.
type parser uint8

const (
	defaultParser parser = iota // JSON; binary values follow as attachments
	msgpackParser               // socket.io-msgpack-parser: one binary message
)

// packetLimits are what one packet of a client may be.
type packetLimits struct {
	Attachments  int // of the default parser
	Bytes        int // with its attachments
	codec.Limits     // of the msgpack value that it becomes
}

const (
	maxID        = 1<<53 - 1 // JavaScript's largest safe integer
	maxNamespace = 1024      // bytes of a namespace's name
)

var (
	errPacketUTF8  = &codec.Error{Code: codec.Malformed, Reason: "a text is not UTF-8"}
	errPacketType  = &codec.Error{Code: codec.Malformed, Reason: "no type of packet"}
	errPacketBytes = &codec.Error{Code: codec.TooBig, Reason: "a packet is longer than the limit"}
	errNamespace   = &codec.Error{Code: codec.Malformed, Reason: "a namespace begins with / and has no control characters"}
	errLongName    = &codec.Error{Code: codec.Malformed, Reason: "a namespace's name is too long"}
	errID          = &codec.Error{Code: codec.Malformed, Reason: "an id is a whole number from 0 to 2^53-1"}
	errConnect     = &codec.Error{Code: codec.Malformed, Reason: "the payload of a CONNECT is an object"}
	errDisconnect  = &codec.Error{Code: codec.Malformed, Reason: "a DISCONNECT has no payload"}
	errEvent       = &codec.Error{Code: codec.Malformed, Reason: "an event is an array that begins with its name"}
	errReserved    = &codec.Error{Code: codec.Malformed, Reason: "an event has a reserved name"}
	errAck         = &codec.Error{Code: codec.Malformed, Reason: "an acknowledgement is an array and has an id"}
	errRefusal     = &codec.Error{Code: codec.Malformed, Reason: "the payload of a CONNECT_ERROR is an object or a string"}
)

// check checks that a packet's payload, a msgpack value, is what its type wants. A CONNECT's null becomes nothing.
func (p *packet) check() error {
	if len(p.data) == 1 && p.data[0] == msgpackNil && p.kind <= disconnectPacket {
		p.data = nil
	}
	var c byte
	if len(p.data) > 0 {
		c = p.data[0]
	}
	switch p.kind {
	case connectPacket:
		if len(p.data) > 0 && !startsMap(c) {
			return errConnect
		}
	case disconnectPacket:
		if len(p.data) > 0 {
			return errDisconnect
		}
	case eventPacket:
		name, ok := eventName(p.data)
		if !ok {
			return errEvent
		}
		if reserved(name) {
			return errReserved
		}
	case ackPacket:
		if !startsArray(c) || p.id < 0 {
			return errAck
		}
	case connectErrorPacket:
		if !startsMap(c) && !startsStr(c) {
			return errRefusal
		}
	default:
		return errPacketType
	}
	return nil
}

// eventName returns the name that an event's data, a msgpack value, begins with.
func eventName(data []byte) (name []byte, ok bool) {
	r := codec.NewReader(data, codec.ServerLimits)
	if n, err := r.Array(); err != nil || n == 0 {
		return nil, false
	}
	name, err := r.Str()
	return name, err == nil
}

// reserved reports whether no event may have that name: JavaScript's sockets emit them themselves.
func reserved[T string | []byte](name T) bool {
	switch string(name) {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

// namespaceOf returns the name of a namespace without the query that old clients append to it: known if it is that one.
func namespaceOf(name []byte, known string) (string, error) {
	if query := bytes.IndexByte(name, '?'); query >= 0 {
		name = name[:query]
	}
	switch {
	case string(name) == known:
		return known, nil
	case len(name) == 0 || name[0] != '/':
		return "", errNamespace
	case len(name) > maxNamespace:
		return "", errLongName
	}
	for _, c := range name {
		if c < ' ' || c == 0x7f {
			return "", errNamespace
		}
	}
	return string(name), nil
}
