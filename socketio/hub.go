package socketio

import (
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// The events between a namespace's room and its sockets' members. Their payloads are, to the server, [id, data], and from it
// [tick, id, data]: data is Socket.IO's, id is nil or an acknowledgement's, tick that of an event which is volatile.
const (
	eventIn  = "e"
	eventAck = "a"
)

// raw is a payload that is msgpack already.
type raw []byte

// EncodeMsgpack writes it.
func (r raw) EncodeMsgpack(enc *msgpack.Encoder) error {
	_, err := enc.Writer().Write(r)
	return err
}

// DecodeMsgpack reads it.
func (r *raw) DecodeMsgpack(dec *msgpack.Decoder) error {
	b, err := dec.DecodeRaw()
	*r = raw(b)
	return err
}

// inEvent is the payload of what a client sends.
func inEvent(id int64, data []byte) []byte {
	b := make([]byte, 0, len(data)+12)
	return append(appendID(codec.AppendArray(b, 2), id), data...)
}

func appendID(b []byte, id int64) []byte {
	if id < 0 {
		return codec.AppendNil(b)
	}
	return codec.AppendInt(b, id)
}

// readIn takes inEvent's payload apart.
func readIn(b []byte) (id int64, data []byte) {
	r := codec.NewReader(b, codec.ServerLimits)
	_, _ = r.Array() // it was written here
	if id = noID; !r.Nil() {
		id, _ = r.Int()
	}
	return id, r.Rest()
}

// hub is a namespace as the game of its room.
type hub struct {
	ns   *Namespace
	room *room.Room
}

// hubs are namespaces on the way to their rooms.
type hubs struct {
	mu   sync.Mutex
	list []*Namespace
}

// add returns the number by which the room finds its namespace.
func (h *hubs) add(ns *Namespace) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, ns)
	return len(h.list) - 1
}

func (h *hubs) get(n int) *Namespace {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.list[n]
}

// hubLog is how much of what was emitted a namespace remembers for clients that are slow, or away, in bytes.
const hubLog = 4 << 20

// defineHub makes the kind of namespaces' rooms.
func defineHub(s *Server) *room.Kind[*hub] {
	cfg := room.Config{
		EmptyFor: -1, ServerCreates: true, Private: true, Grace: -1, Log: hubLog,
		Inbox: 8 * (s.cfg.MaxPayload + 64<<10), // a client may have a quarter of it
	}
	if s.cfg.Recovery > 0 {
		cfg.Grace = s.cfg.Recovery
	}
	k := room.Define("socketio", func(r *room.Room) *hub {
		n, _ := room.CreateOptions[int](r) // it was written here
		return &hub{ns: s.hubs.get(n), room: r}
	}, cfg)
	room.On(k, eventIn, (*hub).Event)
	room.On(k, eventAck, (*hub).Ack)
	return k
}

// socketOf is the socket behind a client.
func socketOf(c *room.Client) *Socket { return c.User().(*member).socket }

// Join connects a socket.
func (h *hub) Join(c *room.Client) error {
	s := socketOf(c)
	s.client = c
	h.ns.connect(s)
	return nil
}

// Leave says that a socket has gone for good.
func (h *hub) Leave(c *room.Client) {
	s := socketOf(c)
	h.ns.disconnect(s, s.m.reasonFor())
	h.ns.forget(s)
}

// Dropped says that a socket's connection was lost, and that it is waited for.
func (h *hub) Dropped(c *room.Client) {
	s := socketOf(c)
	h.ns.disconnect(s, s.m.reasonFor())
}

// Resumed says that a socket has come back.
func (h *hub) Resumed(c *room.Client) {
	s := socketOf(c)
	s.recovered = true
	h.ns.connect(s)
}

// Event is an event of a client.
func (h *hub) Event(c *room.Client, payload raw) {
	id, data := readIn(payload)
	h.ns.event(socketOf(c), id, data)
}

// Ack is an acknowledgement.
func (h *hub) Ack(c *room.Client, payload raw) {
	id, data := readIn(payload)
	h.ns.acked(socketOf(c), id, data)
}

// outbox is what has been emitted and not yet given to the room. Guarded by the namespace's mu.
type outbox struct {
	list  []emission
	bytes int
	busy  bool // a callback runs, or is on its way, after which the list is emptied
}

// emission is one event or acknowledgement, and whom it is for.
type emission struct {
	to       []*Socket // nil with all
	all      bool
	except   []*Socket // of all
	ack      bool
	id       int64
	volatile bool
	data     []byte
	ask      *ask // whose time begins now; nil: none
	leave    bool // the sockets are to leave
}

// maxOutbox bounds what waits for a namespace, in bytes.
const maxOutbox = 16 << 20

// maxStep is how much of it goes into one step of the room, but for the last event of the step; maxEvent is the longest one.
const (
	maxStep  = 2 << 20
	maxEvent = 4 << 20

	emissionSize = 64 // what an emission counts beside its data
)

// put adds an emission. Under mu. It returns what the caller is to do when it has let mu go, or nil.
func (ns *Namespace) put(e emission) (wake, taken bool) {
	o := &ns.outbox
	if o.bytes+len(e.data) > maxOutbox {
		ns.srv.counts.lost.Add(1)
		ns.srv.cfg.Logger.Warn("socketio: more is emitted than a namespace can take; an event is lost", "namespace", ns.name)
		return false, false
	}
	o.list = append(o.list, e)
	o.bytes += len(e.data) + emissionSize
	wake = !o.busy
	o.busy = true
	return wake, true
}

// emit adds an emission.
func (ns *Namespace) emit(e emission) {
	ns.mu.Lock()
	wake, _ := ns.put(e)
	ns.mu.Unlock()
	ns.wake(wake)
}

// wake has the room empty the outbox, if nobody is about to.
func (ns *Namespace) wake(wake bool) {
	if wake && !ns.room.Post(func() { ns.run(func() {}) }) {
		ns.mu.Lock()
		ns.outbox.busy = false // too much waits in the room, or it has ended; the next one tries again
		ns.mu.Unlock()
	}
}

// run runs callbacks, on the room's owner, and then gives what they emitted to the room.
func (ns *Namespace) run(callbacks func()) {
	ns.mu.Lock()
	ns.outbox.busy = true
	ns.mu.Unlock()
	callbacks()
	if tick := ns.room.Tick(); tick != ns.step {
		ns.step, ns.sent = tick, 0
	}
	for {
		list, more := ns.taken()
		for i := range list {
			ns.hand(&list[i])
		}
		if more {
			ns.wake(true) // the rest has to wait for the next step
			return
		}
		if len(list) == 0 {
			return
		}
	}
}

// taken takes what fits into this step from the outbox. more: something is left that does not.
func (ns *Namespace) taken() (list []emission, more bool) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	o := &ns.outbox
	n := 0
	for n < len(o.list) && ns.sent < maxStep {
		size := len(o.list[n].data) + emissionSize
		ns.sent += size
		o.bytes -= size
		n++
	}
	list, o.list = o.list[:n:n], o.list[n:]
	if len(o.list) > 0 {
		return list, true
	}
	o.list = nil
	if n == 0 {
		o.busy = false
	}
	return list, false
}

// hand gives an emission to the room. On the room's owner.
func (ns *Namespace) hand(e *emission) {
	if e.leave {
		for _, s := range e.to {
			if s.client != nil {
				s.client.Kick("the server disconnected this socket")
			}
		}
		return
	}
	name := room.Event[raw](eventIn)
	b := make([]byte, 0, len(e.data)+24)
	b = codec.AppendArray(b, 3)
	if e.ack {
		name, b = eventAck, codec.AppendArray(b[:0], 2)
	} else if e.volatile {
		b = codec.AppendUint(b, ns.room.Tick())
	} else {
		b = codec.AppendNil(b)
	}
	b = append(appendID(b, e.id), e.data...)
	if e.ask != nil {
		ns.startAsk(e.ask)
	}
	switch {
	case e.all && len(e.except) == 0:
		room.Emit(ns.room, name, raw(b))
	case e.all && len(e.except) == 1 && e.except[0].client != nil:
		room.Emit(e.except[0].client.Others(), name, raw(b))
	case e.all:
		room.Emit(ns.room.Except(clientsOf(e.except)...), name, raw(b))
	case len(e.to) == 1 && e.to[0].client != nil:
		room.Emit(e.to[0].client, name, raw(b))
	default:
		room.Emit(ns.room.Only(clientsOf(e.to)...), name, raw(b))
	}
}

func clientsOf(list []*Socket) []*room.Client {
	clients := make([]*room.Client, 0, len(list))
	for _, s := range list {
		if s.client != nil {
			clients = append(clients, s.client)
		}
	}
	return clients
}

// startAsk begins the time of a request. On the room's owner.
func (ns *Namespace) startAsk(a *ask) {
	a.timer = ns.room.After(max(a.timeout, time.Millisecond), func() {
		ns.run(func() { ns.endAsk(a, ErrTimeout) })
	})
}
