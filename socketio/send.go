package socketio

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// progress is how far a client with recovery has been brought.
type progress struct {
	last  uint64 // the tick of the last frame that it was sent, or says that it has
	skip  int    // events after that which it has as well
	asked uint64 // the last request to it that was sent
	again bool   // the next frame may hold what it has been sent before
}

// events are the indexes of what namespaces emit and take, in the host's table.
type events struct{ in, ack int32 }

func eventsOf(names *room.Names) (e events) {
	for i, name := range names.List() {
		switch name {
		case eventIn:
			e.in = int32(i)
		case eventAck:
			e.ack = int32(i)
		}
	}
	return e
}

// frame is a room's frame on its way to packets of Socket.IO.
type frame struct {
	m       *member
	s       *session
	tick    uint64
	packets []codec.Packet
	offsets bool // events say how far their client is
	counted int  // events that do, so far
	total   int  // all of them in the frame
	skipped bool // something was left out because of who the client is, so that the result is nobody else's

	// Used again.
	q       packet   // of Socket.IO
	e       encoding // of the frame; its bytes are out
	out     []byte
	plain   []byte // a game's event as Socket.IO has it
	data    []byte // the same with an offset
	scratch []byte // the encoding of a packet
}

var frames = sync.Pool{New: func() any { return new(frame) }}

// release gives a frame back. What was made of it is no more.
func (f *frame) release() {
	clear(f.packets)
	f.m, f.s, f.q, f.e = nil, nil, packet{}, encoding{}
	for _, b := range []*[]byte{&f.out, &f.plain, &f.data, &f.scratch} {
		if cap(*b) > keptBytes {
			*b = nil
		}
	}
	frames.Put(f)
}

// Send is room.Link's: it turns a room's frame into packets of Socket.IO and sends them in one write.
func (m *member) Send(buf []byte, head int) error {
	m.mu.Lock()
	s, c, state, offsets := m.ses, m.client, m.state, m.pid != ""
	m.mu.Unlock()
	if s == nil || state != live {
		return nil // the room remembers it
	}
	r := codec.NewReader(buf[head:], codec.ServerLimits)
	_, n, err := r.Frame()
	if err != nil {
		return err
	}
	v, err := r.ServerVolley(n)
	if err != nil {
		return err
	}
	body := r.Rest()
	if len(body) == 0 || body[0] == 0x90 {
		return nil // it acknowledges packets, of which Socket.IO knows nothing
	}
	if !offsets && m.to.ns == nil {
		_ = c.Receive(0, v.Tick, nil) // it cannot come back, so the room need not remember this for it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := encodingKey{ws: s.conn != nil, parser: s.parser, nsp: m.nsp, tick: v.Tick, offsets: offsets}
	if offsets {
		key.last = m.progress.last
	}
	e := m.srv.cache.find(&key, body)
	if e == nil || m.progress.again {
		f := frames.Get().(*frame)
		defer f.release()
		if e, err = m.translate(f, s, &r, n, &key); err != nil {
			return err
		}
		if !f.skipped && !m.progress.again {
			m.srv.cache.keep(e, body)
		}
	}
	m.progress.last, m.progress.again = v.Tick, false
	m.progress.asked = max(m.progress.asked, e.asked)
	if e.volatile > 0 {
		m.srv.counts.volatile.Add(e.volatile)
	}
	if e.n == 0 {
		return nil
	}
	return s.transmit(&outgoing{ws: key.ws, b: e.out, n: e.n})
}

// translate makes packets of a room's frame. They are f's. Under the session's mu.
func (m *member) translate(f *frame, s *session, r *codec.Reader, n int, key *encodingKey) (*encoding, error) {
	var err error
	if f.packets, err = r.Packets(n, f.packets[:0]); err != nil {
		return nil, err
	}
	f.m, f.s, f.tick, f.offsets, f.counted, f.total, f.skipped = m, s, key.tick, key.offsets, 0, 0, false
	if f.offsets {
		for i := range f.packets {
			if f.counts(&f.packets[i]) {
				f.total++
			}
		}
	}
	e := &f.e
	e.key = *key
	out := outgoing{ws: key.ws, b: f.out[:0]}
	for i := range f.packets {
		if err := f.add(&out, e, &f.packets[i]); err != nil {
			return nil, err
		}
	}
	f.out, e.out, e.n = out.b, out.b, out.n
	return e, nil
}

// add adds a packet of the room's.
func (f *frame) add(out *outgoing, e *encoding, p *codec.Packet) error {
	q, volatile, err := f.read(p)
	if err != nil {
		return err
	}
	m := f.m
	switch {
	case volatile != 0 && volatile != f.tick:
		e.volatile++
		return nil // it is late
	case q.kind == eventPacket && q.id != noID:
		if uint64(q.id) <= m.progress.asked && m.progress.again {
			f.skipped = true
			return nil // it was asked before, over another session
		}
		e.asked = max(e.asked, uint64(q.id))
	case q.kind == eventPacket && f.offsets:
		if f.counts(p) {
			f.counted++
			if m.progress.skip > 0 {
				m.progress.skip--
				f.skipped = true
				return nil // it had arrived
			}
		}
		q.data = f.withOffset(q.data)
	}
	before, n := len(out.b), out.n
	if f.scratch, err = out.encode(f.scratch, f.s.parser, q); err != nil {
		out.b, out.n = out.b[:before], n // nobody on this parser can be told
		m.srv.counts.lost.Add(1)
		m.srv.cfg.Logger.Warn("socketio: an event cannot be written for a parser; it is lost", "namespace", m.nsp, "error", err)
	}
	return nil
}

// counts reports whether an event is one by which a client says how far it is: it comes again if it is not known to have come.
func (f *frame) counts(p *codec.Packet) bool {
	if p.Kind != codec.Event {
		return false
	}
	if f.m.to.ns == nil {
		return !f.m.to.host.Names().Latest(int(p.Index))
	}
	if p.Index != f.m.srv.events.in {
		return false
	}
	r := codec.NewReader(p.Payload, codec.ServerLimits)
	_, _ = r.Array()
	sure, tells := r.Nil(), r.Nil() // it is not volatile, and nobody waits for an answer
	return sure && tells
}

// withOffset is an event's data with how far its client is once it has it.
func (f *frame) withOffset(data []byte) []byte {
	last, n := f.m.progress.last, f.counted
	if f.counted >= f.total {
		last, n = f.tick, 0
	}
	var text [32]byte
	offset := appendOffset(text[:0], last, n)
	r := codec.NewReader(data, codec.ServerLimits)
	count, _ := r.Array()
	b := codec.AppendArray(f.data[:0], count+1)
	b = append(b, r.Rest()...)
	f.data = codec.AppendStr(b, string(offset))
	return f.data
}

// read turns a packet of the room's into one of Socket.IO's. volatile is the tick in which it has to be sent; 0: any.
func (f *frame) read(p *codec.Packet) (q *packet, volatile uint64, err error) {
	q = &f.q
	*q = packet{nsp: f.m.nsp, id: noID}
	if f.m.to.ns == nil {
		f.game(q, p)
		return q, 0, nil
	}
	r := codec.NewReader(p.Payload, codec.ServerLimits)
	if _, err = r.Array(); err != nil {
		return nil, 0, err
	}
	if p.Index == f.m.srv.events.ack {
		q.kind = ackPacket
	} else {
		q.kind = eventPacket
		if !r.Nil() {
			tick, err := r.Int()
			if err != nil {
				return nil, 0, err
			}
			volatile = uint64(tick)
		}
	}
	if !r.Nil() {
		if q.id, err = r.Int(); err != nil {
			return nil, 0, err
		}
	}
	q.data, err = r.Value()
	return q, volatile, err
}

// game turns a packet of a game's room into q.
func (f *frame) game(q *packet, p *codec.Packet) {
	b := f.plain[:0]
	switch p.Kind {
	case codec.Reply:
		q.kind, q.id = ackPacket, int64(p.ID)-1
		b = append(codec.AppendArray(b, 1), p.Payload...)
	case codec.Failure:
		q.kind, q.id = ackPacket, int64(p.ID)-1
		b = append(codec.AppendStr(codec.AppendMap(codec.AppendArray(b, 1), 1), "error"), p.Payload...)
	default:
		q.kind = eventPacket
		if p.Kind == codec.Request {
			q.id = int64(p.ID)
		}
		name := string(p.Name)
		if names := f.m.to.host.Names().List(); p.Index >= 0 && int(p.Index) < len(names) {
			name = names[p.Index]
		}
		if isNil(p.Payload) {
			b = codec.AppendStr(codec.AppendArray(b, 1), name)
		} else {
			b = append(codec.AppendStr(codec.AppendArray(b, 2), name), p.Payload...)
		}
	}
	f.plain, q.data = b, b
}

func isNil(b []byte) bool { return len(b) == 1 && b[0] == 0xc0 }

// encodingKey is for whom an encoding is.
type encodingKey struct {
	ws      bool
	parser  parser
	nsp     string
	tick    uint64
	offsets bool
	last    uint64 // with offsets: the client's progress before
}

// encoding is what a room's frame has become.
type encoding struct {
	key      encodingKey
	body     []byte // the frame's packets
	out      []byte
	n        int // messages in out
	asked    uint64
	volatile uint64 // events that were left out
}

// encodings remembers what frames have become lately, because a room sends one frame to many. Safe for concurrent use.
type encodings struct {
	seed  maphash.Seed
	once  sync.Once
	slots [64]struct {
		seen atomic.Uint64 // the hash of the last body that came here
		last atomic.Pointer[encoding]
	}
}

// slot is where an encoding of a body is, if it is kept: one for each sort of client, since rooms have several.
func (t *encodings) slot(key *encodingKey, body []byte) (int, uint64) {
	t.once.Do(func() { t.seed = maphash.MakeSeed() })
	h := maphash.Bytes(t.seed, body)
	i := h + 2*uint64(key.parser)
	if key.ws {
		i++
	}
	return int(i % uint64(len(t.slots))), h
}

// find returns the encoding of a body, or nil.
func (t *encodings) find(key *encodingKey, body []byte) *encoding {
	i, _ := t.slot(key, body)
	if e := t.slots[i].last.Load(); e != nil && e.key == *key && bytes.Equal(e.body, body) {
		return e
	}
	return nil
}

// keep keeps a copy of an encoding whose body has come twice: many bodies are for one client alone.
func (t *encodings) keep(e *encoding, body []byte) {
	i, h := t.slot(&e.key, body)
	if t.slots[i].seen.Swap(h) == h && len(body) <= maxKept {
		kept := *e
		kept.body, kept.out = bytes.Clone(body), bytes.Clone(e.out)
		t.slots[i].last.Store(&kept)
	}
}

const maxKept = 64 << 10
