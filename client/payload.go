package client

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/volley-go/volley/codec"
)

// What has been compiled for a payload's type is kept for the life of the process and shared by all clients, as codec.Unmarshal
// does: a thousand bots register the same events. It holds nothing of any client.
var (
	decoders sync.Map // reflect.Type of T → *codec.Decoder[T]
	packers  sync.Map // reflect.Type of T → *packer[T]
)

// decoderFor returns the decoder of T. A T that no payload can hold is a panic, as it is for a room.
func decoderFor[T any](name string) *codec.Decoder[T] {
	t := reflect.TypeFor[T]()
	if d, ok := decoders.Load(t); ok {
		return d.(*codec.Decoder[T])
	}
	d, err := codec.NewDecoder[T]()
	if err != nil {
		panic(fmt.Sprintf("client: event %q: %v", name, err))
	}
	known, _ := decoders.LoadOrStore(t, d)
	return known.(*codec.Decoder[T])
}

// packer encodes packets with payloads of one type without allocating. Safe for concurrent use.
type packer[T any] struct {
	pool sync.Pool // of *packing[T]
}

// packing is a packet being encoded.
type packing[T any] struct {
	value   T // on the heap, so that passing its address to the encoder costs nothing
	enc     *codec.Encoder
	buf     []byte
	session int // whose table of names the packet is encoded with
}

func packerFor[T any]() *packer[T] {
	t := reflect.TypeFor[T]()
	if p, ok := packers.Load(t); ok {
		return p.(*packer[T])
	}
	p := &packer[T]{}
	p.pool.New = func() any { return &packing[T]{enc: codec.NewEncoder()} }
	known, _ := packers.LoadOrStore(t, p)
	return known.(*packer[T])
}

func (p *packer[T]) get() *packing[T] { return p.pool.Get().(*packing[T]) }

// put takes a packing back. After a panic in a user's encoder it is not called: that encoder is not used again.
func (p *packer[T]) put(k *packing[T]) {
	var zero T
	k.value = zero
	if cap(k.buf) > keepBuffer {
		k.buf = nil
	}
	p.pool.Put(k)
}

// packet encodes the whole packet up to its payload: the event, or the request's, and the payload, which must be within the
// server's limits.
func (k *packing[T]) packet(c *Client, begin begin, name string, v T) error {
	k.value = v
	b := k.buf[:0]
	table := c.names.Load()
	k.session = table.session
	if begin == beginReply {
		b = codec.AppendReply(b)
	} else {
		index := table.ref(name)
		if index < 0 {
			if err := checkName("event name", name); err != nil {
				return err
			}
		}
		switch {
		case begin == beginRequest:
			b = codec.AppendRequest(b, index, name)
		case index < 0:
			b = codec.AppendNamedEvent(b, name)
		default:
			b = codec.AppendEvent(b, index)
		}
	}
	at := len(b)
	b, err := k.enc.Append(b, &k.value)
	k.buf = b
	if err == nil {
		err = c.checkPayload(b[at:], len(b))
	}
	if err != nil {
		return fmt.Errorf("client: %s: %w", name, err)
	}
	return nil
}

// begin says what a packet is.
type begin uint8

const (
	beginEvent begin = iota
	beginRequest
	beginReply
)

// checkPayload refuses what would make the server close the connection: a payload beyond its limits, or a string that is no
// UTF-8. packet is the length of the packet so far.
func (c *Client) checkPayload(payload []byte, packet int) error {
	limits := c.welcome.Load().Limits
	if most := limits.Frame - codec.MaxPrefix - maxID; packet > most {
		return codec.Errorf(codec.TooBig, "a packet of %d bytes; the server takes %d", packet, most)
	}
	limits.Elements = max(1, limits.Elements-frameElements-packetElements)
	return codec.Scan(payload, limits)
}

const (
	maxID          = 5 // bytes of a request's id
	packetElements = 3 // values of a packet that are not in its payload
)

// keepBuffer is the largest buffer that a pool keeps.
const keepBuffer = 64 << 10
