package socketio

import (
	"errors"

	"github.com/volley-go/volley/codec"
)

// The server's own events. A client need not listen to them.
const (
	eventNotice = "volley:notice" // one of the client's events was dropped: a notice
	eventLeft   = "volley:left"   // of a mounted kind: why the membership has ended; disconnect follows
)

// notice is what they say.
type notice struct {
	Code   uint16 `msgpack:"code"` // of docs/protocol.md
	Name   string `msgpack:"name"`
	Reason string `msgpack:"reason"`
	Event  string `msgpack:"event,omitempty"` // which was dropped, where that is known
}

// noticePacket is one of them.
func noticePacket(nsp, event string, why *codec.Error) *packet {
	said := notice{Code: uint16(why.Code), Name: why.Code.String(), Reason: codec.CutReason(why.Reason)}
	data, _ := appendEvent(nil, event, []any{said})
	return &packet{kind: eventPacket, nsp: nsp, id: noID, data: data}
}

// connectError is a CONNECT_ERROR.
func connectError(nsp, message string, data any) *packet {
	said := map[string]any{"message": message}
	if data != nil {
		said["data"] = data
	}
	b, err := codec.Marshal(said)
	if err != nil || codec.Scan(b, codec.ServerLimits) != nil {
		b, _ = codec.Marshal(map[string]any{"message": "refused"})
	}
	return &packet{kind: connectErrorPacket, nsp: nsp, id: noID, data: b}
}

// refusalOf is the CONNECT_ERROR that an application's error stands for.
func refusalOf(nsp string, err error) *packet {
	var with *ConnectError
	if errors.As(err, &with) {
		return connectError(nsp, with.Message, with.Data)
	}
	var e *codec.Error
	if errors.As(err, &e) {
		return connectError(nsp, e.Reason, codeOf(e))
	}
	return connectError(nsp, err.Error(), nil)
}

// gamePacket is a client's event as a game's room takes it: the first argument is the payload, several are a list of them. It
// aliases p.
func gamePacket(p *packet) (codec.Packet, error) {
	r := codec.NewReader(p.data, codec.ServerLimits)
	n, _ := r.Array() // it has been checked, as has its name
	name, _ := r.Str()
	if len(name) > codec.MaxName {
		return codec.Packet{}, codec.Errorf(codec.Malformed, "an event name of %d bytes, %d are allowed", len(name), codec.MaxName)
	}
	out := codec.Packet{Kind: codec.Event, Index: codec.NoIndex, Name: name, Payload: payloadOf(n-1, r.Rest())}
	if p.id != noID {
		if p.id >= 1<<32-1 {
			return out, codec.Errorf(codec.Malformed, "acknowledgement id %d", p.id)
		}
		out.Kind, out.ID = codec.Request, uint32(p.id)+1 // a game's requests count from 1
	}
	return out, nil
}

// gameReply is a client's acknowledgement as a game's room takes it. It aliases p.
func gameReply(p *packet) (codec.Packet, error) {
	if p.id <= 0 || p.id > 1<<32-1 {
		return codec.Packet{}, codec.Errorf(codec.Malformed, "acknowledgement %d of nothing", p.id)
	}
	r := codec.NewReader(p.data, codec.ServerLimits)
	n, _ := r.Array()
	return codec.Packet{Kind: codec.Reply, Index: codec.NoIndex, ID: uint32(p.id), Payload: payloadOf(n, r.Rest())}, nil
}

// payloadOf makes one value of n, which stand in args one behind the other.
func payloadOf(n int, args []byte) []byte {
	switch n {
	case 0:
		return []byte{msgpackNil}
	case 1:
		return args
	}
	return append(codec.AppendArray(nil, n), args...)
}

// eventOf takes an event's data apart.
func eventOf(data []byte) (name string, a args) {
	name, a.list = arguments(data, true)
	return name, a
}

// argsOf takes an acknowledgement's data apart.
func argsOf(data []byte) (a args) {
	_, a.list = arguments(data, false)
	return a
}
