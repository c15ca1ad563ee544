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
	itemExcess // a client's request beyond HostConfig.Requests, which is dropped
	itemEmit   // an event for everyone in the room, encoded elsewhere
	itemChange // a client's connection was lost, or another one has taken its place
	itemResync // a client that fell off the log can begin afresh
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
	index   int32        // of the event of a packet or an emit
	kind    itemKind
	latest  bool // of an emit
	failed  bool // of a reply
}

// batch is what waits for a room: the items, and the bytes that they speak of. Rooms share them by way of a pool, so that
// input costs one copy and no allocation, and idle rooms hold none.
type batch struct {
	items []item
	bytes []byte
}

// inbox is where everything reaches a room.
type inbox struct {
	mu     sync.Mutex
	waits  *batch       // nil: nothing waits; guarded by mu
	ours   int          // what the server's own items in it cost; guarded by mu
	turn   uint32       // counts the swaps; guarded by mu
	closed *codec.Error // why it takes nothing any more; guarded by mu
}

// itemCost is what an item counts for beside its bytes: about what it takes, so that empty packets fill an inbox as well.
const itemCost = 64

// maxOurs bounds what posts and emits from outside may cost, apart from what clients send: neither crowds the other out.
// It is half of what a tick may emit.
const maxOurs = maxTickBytes / 2

// take gives the owner what waits; nil if nothing does.
func (in *inbox) take() *batch {
	in.mu.Lock()
	defer in.mu.Unlock()
	got := in.waits
	in.waits, in.ours = nil, 0
	in.turn++
	return got
}

// end returns why the inbox is closed; nil: it is not.
func (in *inbox) end() *codec.Error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.closed
}

// close lets nothing in any more and returns what waits.
func (in *inbox) close(why *codec.Error) *batch {
	in.mu.Lock()
	defer in.mu.Unlock()
	waits := in.waits
	in.waits, in.closed = nil, why
	return waits
}

// put adds an item with its bytes. The caller holds mu.
func (in *inbox) put(it item, bytes []byte) {
	w := in.waits
	if w == nil {
		w = batches.Get().(*batch)
		in.waits = w
	}
	it.at, it.n = uint32(len(w.bytes)), uint32(len(bytes))
	w.bytes = append(w.bytes, bytes...)
	w.items = append(w.items, it)
}

// waiting is how much of its bound the clients' items take. The caller holds mu.
func (in *inbox) waiting() int {
	if in.waits == nil {
		return 0
	}
	return len(in.waits.bytes) + len(in.waits.items)*itemCost - in.ours
}

// receive puts one item with its bytes into the room's inbox and wakes an event-driven room. It reports whether the room
// took it: a closed one does not, and one with too many posts and emits takes no more of those. Joins and leaves are
// bounded by the connections: each client comes once and goes once. Of changes and fresh beginnings, one of a client waits.
func (r *Room) receive(it item, bytes []byte) bool {
	in := &r.inbox
	in.mu.Lock()
	took := in.admit(&it, len(bytes))
	if took {
		in.put(it, bytes)
	}
	in.mu.Unlock()
	if took {
		r.wake(false)
	}
	return took
}

// admit reports whether there is a place for the item of size bytes. The caller holds mu.
func (in *inbox) admit(it *item, size int) bool {
	switch {
	case in.closed != nil:
		return false
	case it.kind == itemJoin || it.kind == itemResync:
		return true
	case it.kind == itemLeave:
		first := !it.client.left
		it.client.left = true
		return first
	}
	if in.ours+size+itemCost > maxOurs {
		return false
	}
	in.ours += size + itemCost
	return true
}

// input puts a client's packets into the room's inbox.
func (r *Room) input(c *Client, seq uint64, packets []codec.Packet) error {
	in := &r.inbox
	in.mu.Lock()
	if in.closed != nil {
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
		if !in.add(c, &packets[i]) {
			in.mu.Unlock()
			r.kind.host.counts.flooded.Add(1)
			return codec.Errorf(codec.InboxFull, "room %s cannot take more input in one tick", r.id)
		}
	}
	in.mu.Unlock()
	r.wake(true)
	return nil
}

// add copies one packet, if there is a place for it. The caller holds mu.
func (in *inbox) add(c *Client, p *codec.Packet) bool {
	limit := c.room.kind.cfg.Inbox
	if c.turn != in.turn {
		c.waits, c.requests, c.turn = 0, 0, in.turn
	}
	c.waits += int32(len(p.Payload) + itemCost)
	if int(c.waits) > limit/4 {
		return false
	}
	// A full inbox is the fault of those who have much in it, not of who comes late.
	if in.waiting() > limit && int(c.waits) > limit/64 {
		return false
	}
	it := item{client: c, seq: c.next, id: p.ID}
	switch p.Kind {
	case codec.Reply, codec.Failure:
		it.kind, it.failed = itemReply, p.Kind == codec.Failure
	default:
		it.handler, it.index = c.room.kind.handlerOf(p), p.Index
	}
	if p.Kind == codec.Request {
		if c.requests++; int(c.requests) > c.room.kind.host.cfg.Requests {
			it.kind = itemExcess
		}
	}
	c.next++
	if it.handler == nil && it.kind == itemPacket && p.Index == codec.NoIndex {
		in.put(it, p.Name) // all that is left to do is to say that nobody handles it
		return true
	}
	in.put(it, p.Payload)
	return true
}

// MaxRequests is the default of HostConfig.Requests.
const MaxRequests = 256

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
