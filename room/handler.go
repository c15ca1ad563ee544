package room

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
)

// handler is what a kind does with one event from clients. Immutable.
type handler struct {
	name string
	// call decodes the payload and runs the user's function on the room's owner. id is the request's, 0 for an event. An
	// error is one of decoding.
	call func(r *Room, c *Client, payload []byte, id uint32) error
}

// On registers fn for an event from clients, for all rooms of the kind. If a client asks for a reply, it gets nil once fn has
// returned. On panics if the event has a handler, if T cannot be decoded, or if a host has taken the kind.
func On[G Game, T any](k *Kind[G], ev Event[T], fn func(g G, c *Client, v T)) {
	mustHandle(k.k, string(ev), fn == nil)
	decode := decoderFor[T](k.k, string(ev))
	k.k.register(string(ev), func(r *Room, c *Client, payload []byte, id uint32) error {
		v, err := decode.get(payload)
		if err != nil {
			return err
		}
		fn(r.game.(G), c, *v)
		decode.put(v)
		if id != 0 {
			r.replied(c, id, codec.AppendNil(r.replying()), nil)
		}
		return nil
	})
}

// Handle registers fn for a request from clients. Its result is the reply; the text of its error is what the client
// gets instead. It panics as On does.
func Handle[G Game, Req, Resp any](k *Kind[G], call Call[Req, Resp], fn func(g G, c *Client, req Req) (Resp, error)) {
	mustHandle(k.k, string(call), fn == nil)
	replies := newEmitter[Resp]()
	decode := decoderFor[Req](k.k, string(call))
	k.k.register(string(call), func(r *Room, c *Client, payload []byte, id uint32) error {
		v, err := decode.get(payload)
		if err != nil {
			return err
		}
		resp, err := fn(r.game.(G), c, *v)
		decode.put(v)
		switch {
		case id == 0: // sent as an event: nobody waits
		case err != nil:
			r.refuse(c, id, err.Error())
		default:
			b, err := replies.append(r.replying(), resp)
			r.replied(c, id, b, err)
		}
		return nil
	})
}

func mustHandle(k *kind, name string, isNil bool) {
	if isNil {
		panic(fmt.Sprintf("room: kind %q: the handler for %q is nil", k.name, name))
	}
}

func (k *kind) register(name string, call func(*Room, *Client, []byte, uint32) error) {
	checkName("event", name)
	if k.host != nil {
		panic(fmt.Sprintf("room: kind %q: handler for %q comes after the server was made; register it before", k.name, name))
	}
	if k.handlers[name] != nil {
		panic(fmt.Sprintf("room: kind %q has a handler for %q already", k.name, name))
	}
	k.handlers[name] = &handler{name: name, call: call}
}

// decoding is a decoder with reusable places for what it decodes. Safe for concurrent use.
type decoding[T any] struct {
	*codec.Decoder[T]
	pool sync.Pool // of *T
}

func decoderFor[T any](k *kind, name string) *decoding[T] {
	d, err := codec.NewDecoder[T]()
	if err != nil {
		panic(fmt.Sprintf("room: kind %q: event %q: %v", k.name, name, err))
	}
	return &decoding[T]{Decoder: d, pool: sync.Pool{New: func() any { return new(T) }}}
}

// get decodes the payload into a place that put gives back. A decoding method of the user's own that panics is an error: bytes
// of one client's must not end the room for all.
func (d *decoding[T]) get(payload []byte) (v *T, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Warn("room: a decoder panicked", "type", fmt.Sprintf("%T", v), "panic", p, "stack", string(debug.Stack()))
			v, err = nil, codec.Errorf(codec.BadPayload, "it cannot be decoded")
		}
	}()
	v = d.pool.Get().(*T)
	if err := d.Decode(payload, v); err != nil {
		d.put(v)
		return nil, err
	}
	return v, nil
}

func (d *decoding[T]) put(v *T) {
	var zero T
	*v = zero // keep nothing of a client's alive
	d.pool.Put(v)
}

// DefaultTimeout is how long a request waits for its reply if its caller does not say.
const DefaultTimeout = 10 * time.Second
