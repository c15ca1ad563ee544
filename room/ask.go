package room

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/volley-go/volley/codec"
)

// Errors of a request that got no reply.
var (
	// ErrTimeout: the client did not reply in time.
	ErrTimeout = errors.New("room: no reply in time")
	// ErrLeft: the client left before it replied.
	ErrLeft = errors.New("room: the client left before it replied")
	// ErrTooManyAsks: the client has maxAsks unanswered requests; wait for some of them.
	ErrTooManyAsks = errors.New("room: too many unanswered requests to one client")
)

// maxAsks is how many requests may wait for one client's replies.
const maxAsks = 64

// RemoteError is a client's own word on why it does not reply.
type RemoteError string

func (e RemoteError) Error() string { return "the client says: " + string(e) }

// nothing is a payload of nil.
var nothing = []byte{0xc0}

// ask is a request that waits for a client's reply. Owned by the room's owner.
type ask struct {
	timer *Timer
	done  func(payload []byte, err error) error // returns the error of a payload that does not fit
}

// Ask sends a request to a client. done runs later on the room's owner, once unless the room ends before: with the reply, or
// with ErrTimeout after the timeout (0: DefaultTimeout), ErrLeft, ErrTooManyAsks, a RemoteError, or a *codec.Error if the
// reply does not fit Resp (the client is then closed with codec.BadPayload). Ask panics if Req cannot be encoded or Resp
// cannot be decoded.
func Ask[Req, Resp any](c *Client, call Call[Req, Resp], req Req, timeout time.Duration, done func(Resp, error)) {
	r := c.room
	r.mustOwn("Ask")
	var none, probe Resp
	var fault *codec.Error
	if err := codec.Unmarshal(nothing, &probe); err != nil && !errors.As(err, &fault) { // not even nothing: it is the type
		panic(fmt.Sprintf("room: ask %s: %v", call, err))
	}
	switch {
	case c.state == gone || c.state == leaving:
		r.After(0, func() { done(none, ErrLeft) })
		return
	case len(c.asks()) >= maxAsks:
		r.After(0, func() { done(none, ErrTooManyAsks) })
		return
	}
	id := r.sendAsk(c, string(call), func(b []byte) ([]byte, error) {
		_, emitter := emitterFor[Req](r.kind, string(call))
		return emitter.append(b, req)
	})
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	a := &ask{done: func(payload []byte, err error) error {
		resp, bad := none, error(nil)
		if err == nil {
			bad = codec.Unmarshal(payload, &resp)
			err = bad
		}
		done(resp, err)
		return bad
	}}
	a.timer = r.After(timeout, func() {
		delete(c.asks(), id)
		done(none, ErrTimeout)
	})
	rare := c.rarely()
	if rare.asks == nil {
		rare.asks = map[uint32]*ask{}
	}
	rare.asks[id] = a
}

// sendAsk puts a request to c into the log and returns its id.
func (r *Room) sendAsk(c *Client, name string, payload func([]byte) ([]byte, error)) uint32 {
	c.lastAsk++
	slot := r.kind.slotOf(name)
	at := len(r.log.bytes)
	b, err := payload(codec.AppendRequest(r.log.bytes, slot.index, slot.name))
	if err != nil {
		panic(fmt.Sprintf("room: ask %s: %v", name, err))
	}
	r.target(c)
	r.commit(codec.AppendUint(b, uint64(c.lastAsk)), at, segment{scope: toOne, who: c.id})
	return c.lastAsk
}

// answered gives a client's reply to the ask that waits for it. A reply that nobody waits for is passed over.
func (r *Room) answered(it *item, payload []byte) error {
	c := it.client
	a := c.asks()[it.id]
	if a == nil {
		return nil
	}
	delete(c.asks(), it.id)
	a.timer.Stop()
	if it.failed {
		var why string
		if err := codec.Unmarshal(payload, &why); err != nil {
			why = "(no text)"
		}
		return a.done(nil, RemoteError(why))
	}
	return a.done(payload, nil)
}

// abandon ends the asks of a client that leaves.
func (r *Room) abandon(c *Client) {
	for _, id := range slices.Sorted(maps.Keys(c.asks())) {
		a := c.asks()[id]
		delete(c.asks(), id)
		a.timer.Stop()
		_ = a.done(nil, ErrLeft)
	}
	if c.rare != nil {
		c.rare.asks = nil
	}
}
