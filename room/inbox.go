package room

import (
	"sync"

	"github.com/volley-go/volley/codec"
)

type itemKind uint8

const (
	itemPacket itemKind = iota // a client's event or request
	itemReply                  // a client's reply to a request of ours; failed if it says why there is none
	itemJoin
	itemLeave
	itemPost
	itemEmit // an event for everyone in the room, encoded elsewhere
)

// item is one thing that a room has to see to. They are done in the order in which they arrived.
type item struct {
	client  *Client
	handler *handler     // of a packet; nil: there is none
	post    func()       // of a post
	why     *codec.Error // of a leave
	seq     uint64       // of a packet or a reply
	key     uint64       // of an emit
	at, n   uint32       // its bytes in the inbox
	id      uint32       // of a request or a reply
	index   int32        // of an emit's event
	kind    itemKind
	latest  bool // of an emit
	failed  bool // of a reply
}

// batch is what waits for a room: the items, and the bytes that they speak of. Two of them are swapped and reused, so
// that input costs one copy and no allocation.
type batch struct {
	items []item
	bytes []byte
}

// inbox is where everything reaches a room.
type inbox struct {
	mu     sync.Mutex
	waits  batch  // guarded by mu
	turn   uint64 // counts the swaps; guarded by mu
	closed bool   // guarded by mu

	why *codec.Error // why it is closed; guarded by mu
}

// maxItems bounds an inbox for items that carry no bytes.
const maxItems = 1 << 16

// swap gives the owner what waits, and the inbox the empty batch that the owner has done with.
func (in *inbox) swap(done batch) batch {
	done.items, done.bytes = shrunk(done.items), shrunk(done.bytes)
	in.mu.Lock()
	got := in.waits
	in.waits = done
	in.turn++
	in.mu.Unlock()
	return got
}

// empty reports whether nothing waits.
func (in *inbox) empty() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.waits.items) == 0
}

// receive puts one item with its bytes into the room's inbox and wakes an event-driven room. It reports whether the room
// took it: a closed one does not, and a full one takes nothing but joins and leaves.
func (r *Room) receive(it item, bytes []byte) bool {
	in := &r.inbox
	in.mu.Lock()
	full := len(in.waits.items) >= maxItems || len(in.waits.bytes)+len(bytes) > r.kind.cfg.Inbox
	if in.closed || (full && it.kind != itemJoin && it.kind != itemLeave) {
		in.mu.Unlock()
		return false
	}
	it.at, it.n = uint32(len(in.waits.bytes)), uint32(len(bytes))
	in.waits.bytes = append(in.waits.bytes, bytes...)
	in.waits.items = append(in.waits.items, it)
	in.mu.Unlock()
	r.wake(false)
	return true
}

// input puts a client's packets into the room's inbox.
func (r *Room) input(c *Client, seq uint64, packets []codec.Packet) error {
	in := &r.inbox
	in.mu.Lock()
	if in.closed {
		in.mu.Unlock()
		return nil // the client is about to hear why
	}
	if seq > c.next || seq == 0 {
		next := c.next
		in.mu.Unlock()
		return codec.Errorf(codec.BadSequence, "packet %d where %d is next", seq, next)
	}
	for i := range packets {
		if seq+uint64(i) < c.next {
			continue // it came before
		}
		if err := in.add(c, &packets[i]); err != nil {
			in.mu.Unlock()
			return err
		}
	}
	in.mu.Unlock()
	r.wake(true)
	return nil
}

// add copies one packet. The caller holds mu.
func (in *inbox) add(c *Client, p *codec.Packet) error {
	cfg := &c.room.kind.cfg
	if c.waitsN != in.turn {
		c.waits, c.waitsN = 0, in.turn
	}
	size := len(p.Payload)
	c.waits += size + itemCost
	if c.waits > cfg.Inbox/4 || len(in.waits.bytes)+size > cfg.Inbox || len(in.waits.items) >= maxItems {
		return codec.Errorf(codec.InboxFull, "room %s has %d bytes of input waiting", c.room.id, len(in.waits.bytes))
	}
	it := item{client: c, seq: c.next, id: p.ID, at: uint32(len(in.waits.bytes)), n: uint32(size)}
	switch p.Kind {
	case codec.Reply, codec.Failure:
		it.kind, it.failed = itemReply, p.Kind == codec.Failure
	default:
		it.handler = c.room.kind.handlerOf(p)
	}
	c.next++
	in.waits.bytes = append(in.waits.bytes, p.Payload...)
	in.waits.items = append(in.waits.items, it)
	return nil
}

// itemCost is what an item counts for beside its payload, so that empty packets cannot fill an inbox for free.
const itemCost = 16

// handlerOf returns the handler of a packet's event, or nil.
func (k *kind) handlerOf(p *codec.Packet) *handler {
	if p.Index == codec.NoIndex {
		return k.handlers[string(p.Name)]
	}
	if int(p.Index) < len(k.byIndex) {
		return k.byIndex[p.Index]
	}
	return nil
}
