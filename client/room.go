package client

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/volley-go/volley/codec"
)

// Meta goes with each packet.
type Meta struct {
	// Tick is the tick of the frame that brought the packet.
	Tick uint64
	// Ack is the number of our last packet that the room had processed by then.
	Ack uint64
}

// Room is this client's membership of one room. Its methods, and the functions that take it, may be called from any
// goroutine; what waits for the server must not be called in a callback.
//
// A membership outlives its connection, and goes on with the next one as if nothing had happened: see the package's
// documentation for what may happen instead, which OnResync, OnRejoin and OnLeft tell.
type Room struct {
	// Static from before the join is sent.
	client  *Client
	channel uint32
	settled chan struct{} // closed when the first join has an answer
	wish    wish

	handlers atomic.Pointer[handlers] // immutable; replaced under mu

	session int // which of the client's sessions the membership is of. Written by the goroutine that reads, under mu

	mu        sync.Mutex // taken after the client's wmu; no other lock is taken under it
	state     phase
	link      linkage
	rejoin    rejoin
	sent      bool // this session's server has been asked for the room, and has not said LEFT
	abandoned bool // nobody waits for the first join any more; it is left as soon as it is in
	quit      bool // the same of one that is joined again
	fresh     bool // no VOLLEY has come since RESUMED said arrived
	resync    bool // the next VOLLEY says which requests were processed without a reply
	why       error
	facts     codec.Joined
	done      chan struct{} // closed after the OnLeft; nil until somebody asks

	tick   uint64    // the last that was processed or is being
	told   uint64    // the last that the server heard of
	lost   int       // packets that went with the memberships before
	ackDue time.Time // when it must hear of tick; zero: nothing is due

	arrived  uint64 // by then all packets up to this one had arrived
	outbox   outbox
	corked   int // Batches under way
	requests map[uint32]request
	lastID   uint32
}

type phase uint8

const (
	joining phase = iota // for the first time, or again
	joined
	leaving // LEAVE is sent, or will be
	left
)

// linkage is how a room stands on the connection of the moment.
type linkage uint8

const (
	cold   linkage = iota // the server has said nothing about it
	listed                // HELLO has, and waits for the answer
	live                  // VOLLEYs may be sent
	mute                  // LEAVE is sent; VOLLEYs may come
)

// handlers is what has been registered with a room.
type handlers struct {
	events  []eventHandler
	calls   []callHandler
	anys    []func(event string, payload []byte, m Meta)
	volleys []func(m Meta)
	lefts   []func(code codec.Code, reason string)
	notices []func(code codec.Code, reason string, seq uint64)
	resyncs []func(tick uint64)
	rejoins []func(lost int)
}

type eventHandler struct {
	name string
	run  func(payload []byte, m Meta) error
}

type callHandler struct {
	name string
	run  func(payload []byte, id uint32)
}

var noHandlers handlers // never changed

func newRoom(c *Client) *Room {
	r := &Room{client: c, settled: make(chan struct{})}
	r.handlers.Store(&noHandlers)
	return r
}

// register changes the handlers. change must append to clipped slices only.
func (r *Room) register(change func(h *handlers)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := *r.handlers.Load()
	h.events, h.calls, h.anys = slices.Clip(h.events), slices.Clip(h.calls), slices.Clip(h.anys)
	h.volleys, h.lefts, h.notices = slices.Clip(h.volleys), slices.Clip(h.lefts), slices.Clip(h.notices)
	h.resyncs, h.rejoins = slices.Clip(h.resyncs), slices.Clip(h.rejoins)
	change(&h)
	r.handlers.Store(&h)
}

// OnAny calls f with every event, after the handlers of its name. The payload is msgpack, for codec.Unmarshal, and valid
// during the call only. Requests are not events.
func (r *Room) OnAny(f func(event string, payload []byte, m Meta)) {
	r.register(func(h *handlers) { h.anys = append(h.anys, f) })
}

// OnVolley calls f after each frame of the room, when its packets have been handled.
func (r *Room) OnVolley(f func(m Meta)) {
	r.register(func(h *handlers) { h.volleys = append(h.volleys, f) })
}

// OnResync calls f when this client was away, or has read too slowly, for longer than the room remembers: what is known of the
// room's state is void, and the events that follow tell it anew, from tick on. Our own packets are not affected; requests whose
// reply is lost have failed with ErrReplyLost.
func (r *Room) OnResync(f func(tick uint64)) {
	r.register(func(h *handlers) { h.resyncs = append(h.resyncs, f) })
}

// OnRejoin calls f when the server had given up our seat and this client has joined again by itself, with the same options: the
// same room or, if that refuses, one by the call that led there. Everything begins anew, as after a join: state, ClientID, Seq,
// Ack. Requests that were open have failed; lost is how many of our last packets had not been acknowledged: the room that was
// may have processed them.
func (r *Room) OnRejoin(f func(lost int)) {
	r.register(func(h *handlers) { h.rejoins = append(h.rejoins, f) })
}

// OnLeft calls f once, when this client is no longer in the room: with a code from 4100, or with the connection's. A join that
// was refused never was in.
func (r *Room) OnLeft(f func(code codec.Code, reason string)) {
	r.register(func(h *handlers) { h.lefts = append(h.lefts, f) })
}

// OnNotice calls f when the server dropped our packet number seq.
func (r *Room) OnNotice(f func(code codec.Code, reason string, seq uint64)) {
	r.register(func(h *handlers) { h.notices = append(h.notices, f) })
}

// Client returns the room's client.
func (r *Room) Client() *Client { return r.client }

// ID returns the room's id, by which others join it; empty before the join. It may change with OnRejoin.
func (r *Room) ID() string { return r.joined().Room }

// Kind returns the room's kind; empty before the join.
func (r *Room) Kind() string { return r.joined().Kind }

// ClientID returns this client's number in the room; 0 before the join. It changes with OnRejoin.
func (r *Room) ClientID() uint32 { return r.joined().Client }

// Rate returns how many ticks a second the room makes; 0 for an event-driven one.
func (r *Room) Rate() int { return r.joined().Rate }

func (r *Room) joined() codec.Joined {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.facts
}

// Tick returns the last tick that was processed: its packets have been handled or are being.
func (r *Room) Tick() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tick
}

// Seq returns the number of the last packet that was emitted, 0 before the first. Requests and replies are packets as well.
func (r *Room) Seq() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outbox.last()
}

// Ack returns the number of our last packet that the room has processed, 0 before the first.
func (r *Room) Ack() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outbox.acked
}

// Err returns why this client is not in the room any more, a *LeftError or a *CloseError, or nil while it is or joins.
func (r *Room) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

// Done returns a channel that is closed when this client is no longer in the room and the OnLeft functions have run.
func (r *Room) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
	}
	return r.done
}

// goneLocked is the error of what needs to be in the room. Under mu.
func (r *Room) goneLocked() error {
	if r.why != nil {
		return r.why
	}
	if e := r.client.ended(); e != nil {
		return e
	}
	return ErrNotJoined
}
