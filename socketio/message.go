package socketio

import (
	"errors"
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

var (
	// ErrTimeout is about acknowledgements that did not come in time.
	ErrTimeout = errors.New("socketio: no acknowledgement in time")
	// ErrDisconnected is about a socket that was gone before it acknowledged.
	ErrDisconnected = errors.New("socketio: the socket is disconnected")

	errFault = errors.New("the server had a fault")
)

// ConnectError refuses a socket, with data that the client sees as the data of its connect_error.
type ConnectError struct {
	Message string
	Data    any
}

func (e *ConnectError) Error() string { return e.Message }

// Message is an event of a client. It belongs in the callback that it was given to, but for Ack.
type Message struct {
	Socket *Socket
	Event  string
	args
	id    int64
	acked bool
}

// WantsAck reports whether the client waits for an acknowledgement.
func (m *Message) WantsAck() bool { return m.id != noID }

// Ack acknowledges the event, if the client waits for that and nobody has. It may be called later, among the namespace's
// callbacks. It panics if an argument cannot be encoded.
func (m *Message) Ack(args ...any) {
	if m.id == noID || m.acked {
		return
	}
	m.acked = true
	data, err := appendAck(nil, args)
	if err != nil {
		panic(fmt.Sprintf("%v of %s", err, m.Event))
	}
	m.Socket.ns.emit(emission{to: []*Socket{m.Socket}, ack: true, id: m.id, data: data})
}

// bad notes that a message's arguments do not fit its handler: the client is told, by an event "volley:notice" or, if it waits,
// by its acknowledgement.
func (m *Message) bad(err error) {
	ns := m.Socket.ns
	ns.srv.counts.bad.Add(1)
	ns.srv.cfg.Logger.Debug("socketio: an event does not fit its handler", "namespace", ns.name,
		"event", codec.CutReason(m.Event), "error", err)
	if m.WantsAck() {
		m.Ack(map[string]string{"error": codec.CutReason(err.Error())})
		return
	}
	m.Socket.Emit(eventNotice, notice{
		Code: uint16(codec.BadPayload), Name: codec.BadPayload.String(), Reason: codec.CutReason(err.Error()), Event: m.Event,
	})
}

// On adds a handler for an event whose first argument is a T; without arguments it gets the zero T. An argument that does not fit
// reaches no handler: the client is told by an event "volley:notice" or, if it waits for an acknowledgement, by {error: "…"}. On
// panics if T cannot be decoded.
func On[T any](to Handlers, event string, fn func(s *Socket, v T)) {
	dec := decoderFor[T](event)
	to.On(event, func(m *Message) {
		if v, ok := decode(dec, m); ok {
			fn(m.Socket, v)
		}
	})
}

// Handle adds a handler for an event that is acknowledged by its result; by {error: "…"} if that is an error. Otherwise it is as
// On.
func Handle[Req, Resp any](to Handlers, event string, fn func(s *Socket, v Req) (Resp, error)) {
	dec := decoderFor[Req](event)
	to.On(event, func(m *Message) {
		v, ok := decode(dec, m)
		if !ok {
			return
		}
		resp, err := fn(m.Socket, v)
		if err != nil {
			m.Ack(map[string]string{"error": err.Error()})
			return
		}
		m.Ack(resp)
	})
}

func decoderFor[T any](event string) *codec.Decoder[T] {
	dec, err := codec.NewDecoder[T]()
	if err != nil {
		panic(fmt.Sprintf("socketio: event %s: %v", event, err))
	}
	return dec
}

func decode[T any](dec *codec.Decoder[T], m *Message) (v T, ok bool) {
	if m.Len() == 0 {
		return v, true
	}
	if err := dec.Decode(m.list[0], &v); err != nil {
		m.bad(err)
		return v, false
	}
	return v, true
}

// args are the arguments of an event or an acknowledgement.
type args struct{ list [][]byte }

// Len returns how many arguments there are.
func (a args) Len() int { return len(a.list) }

// Args decodes the arguments into the Go types that suit them: int64, float64, string, bool, []byte, []any, map[string]any, nil.
func (a args) Args() ([]any, error) {
	out := make([]any, len(a.list))
	for i, b := range a.list {
		if err := codec.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return out, nil
}

// Bind decodes the first arguments into the variables that ptrs point to. Missing arguments leave theirs as they are.
func (a args) Bind(ptrs ...any) error {
	for i, p := range ptrs {
		if i >= len(a.list) {
			break
		}
		if err := codec.Into(a.list[i], p); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// Reply is a socket's acknowledgement.
type Reply struct {
	Socket *Socket
	args
}

// ask is an event whose acknowledgements are waited for.
type ask struct {
	// Static after construction.
	id      int64
	timeout time.Duration
	one     bool // for one socket
	done    func(replies []*Reply, err error)

	timer *room.Timer // of the room's owner

	// Guarded by the namespace's mu.
	waiting map[*Socket]struct{}
	replies []*Reply
	over    bool
}

// acked takes an acknowledgement. On the room's owner.
func (ns *Namespace) acked(s *Socket, id int64, data []byte) {
	ns.mu.Lock()
	a := ns.asks[id]
	if a == nil {
		ns.mu.Unlock()
		return // too late, or never asked
	}
	if _, waits := a.waiting[s]; !waits {
		ns.mu.Unlock()
		return
	}
	delete(a.waiting, s)
	a.replies = append(a.replies, &Reply{Socket: s, args: argsOf(data)})
	last := len(a.waiting) == 0
	ns.mu.Unlock()
	if last {
		ns.run(func() { ns.endAsk(a, nil) })
	}
}

// disconnected gives up on what a socket was asked. On the room's owner, within a callback.
func (ns *Namespace) disconnected(s *Socket) {
	ns.mu.Lock()
	var over []*ask
	for _, a := range ns.asks {
		if _, waits := a.waiting[s]; waits {
			if delete(a.waiting, s); len(a.waiting) == 0 {
				over = append(over, a)
			}
		}
	}
	ns.mu.Unlock()
	for _, a := range over {
		var err error
		if a.one {
			err = ErrDisconnected
		}
		ns.endAsk(a, err)
	}
}

// endAsk tells who asked. On the room's owner, within a callback.
func (ns *Namespace) endAsk(a *ask, err error) {
	ns.mu.Lock()
	over, replies := a.over, a.replies
	a.over = true
	delete(ns.asks, a.id)
	ns.mu.Unlock()
	if over {
		return
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	ns.srv.protect(ns.name, func() { a.done(replies, err) })
}
