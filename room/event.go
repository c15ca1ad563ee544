package room

import (
	"fmt"
	"maps"
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// Event is the name of an event whose payload is a T, as a typed constant:
//
//	const move room.Event[Move] = "move"
//
// The name has 1 to codec.MaxName bytes. The same name may have one type from clients and another to them.
type Event[T any] string

// Call is the name of a request whose payload is a Req and whose reply is a Resp.
type Call[Req, Resp any] string

// emitter encodes payloads of one Go type without allocating. Safe for concurrent use.
type emitter[T any] struct {
	pool  sync.Pool                   // of *encoding[T]
	plain bool                        // no T can have an encoding that a client refuses
	fast  func(b []byte, v *T) []byte // nil: T needs msgpack/v5
}

// encoding is a place on the heap for the value, so that passing its address to the encoder costs nothing.
type encoding[T any] struct {
	value T
	enc   *codec.Encoder
}

func newEmitter[T any]() *emitter[T] {
	e := &emitter[T]{plain: codec.Plain(reflect.TypeFor[T]())}
	e.fast, _ = codec.FastEncoder[T]()
	e.pool.New = func() any { return &encoding[T]{enc: codec.NewEncoder()} }
	return e
}

// append appends v's encoding to b. An encoding that clients would refuse, closing their connections, is an error here.
func (e *emitter[T]) append(b []byte, v T) ([]byte, error) {
	at := len(b)
	p := e.pool.Get().(*encoding[T])
	p.value = v
	var err error
	if e.fast != nil {
		b = e.fast(b, &p.value)
	} else {
		b, err = p.enc.Append(b, &p.value)
	}
	var zero T
	p.value = zero
	e.pool.Put(p)
	if err == nil && !e.plain {
		err = codec.Scan(b[at:], codec.ServerLimits)
	}
	return b, err
}

// slot is what a kind knows about one event name: its index on the wire, and an emitter for each Go type that it was
// emitted with. Immutable.
type slot struct {
	index    int // in the event table, or codec.NoIndex when the table is full
	name     string
	emitters []any // of *emitter[T]; one, but for names with several types
}

// emitterFor returns the slot of name in k, and its emitter for T, making them when this is the first time.
func emitterFor[T any](k *kind, name string) (*slot, *emitter[T]) {
	if s := (*k.slots.Load())[name]; s != nil {
		for _, e := range s.emitters {
			if e, ok := e.(*emitter[T]); ok {
				return s, e
			}
		}
	}
	e := newEmitter[T]()
	return k.addEmitter(name, e), e
}

// addEmitter makes a slot for name, or adds an emitter to it.
func (k *kind) addEmitter(name string, e any) *slot {
	k.slotsMu.Lock()
	defer k.slotsMu.Unlock()
	old := *k.slots.Load()
	added := &slot{name: name}
	if s := old[name]; s != nil {
		added.index, added.emitters = s.index, append(added.emitters, s.emitters...)
	} else {
		checkName("event", name)
		added.index = k.host.names.add(name)
	}
	if e != nil {
		for _, has := range added.emitters {
			if reflect.TypeOf(has) == reflect.TypeOf(e) {
				return old[name] // another goroutine was faster; its emitter serves as well
			}
		}
		added.emitters = append(added.emitters, e)
	}
	if added.index < 0 {
		return added // not kept, so that names without end cost no memory without end
	}
	slots := make(map[string]*slot, len(old)+1)
	maps.Copy(slots, old)
	slots[name] = added
	k.slots.Store(&slots)
	return added
}

func checkName(what, name string) {
	if len(name) == 0 || len(name) > codec.MaxName || !utf8.ValidString(name) {
		panic(fmt.Sprintf("room: %s name %q must be valid UTF-8 of 1 to %d bytes", what, name, codec.MaxName))
	}
}

// slotOf returns the slot of name in k.
func (k *kind) slotOf(name string) *slot {
	if s := (*k.slots.Load())[name]; s != nil {
		return s
	}
	return k.addEmitter(name, nil)
}
