package room

import (
	"encoding/binary"
	"fmt"

	"github.com/volley-go/volley/codec"
)

// Emit sends an event to an audience: reliably, in order, with everything else that the tick emits. The value is encoded
// at once, so it may be changed afterwards. For a client, a room or a set it must be called on the room's owner, that is,
// in one of its callbacks; a kind and a host may be addressed from any goroutine, and their rooms send it with their next
// tick, each to all of its clients. A value that cannot be encoded, or that clients would refuse (a string that is not
// UTF-8, a map with keys other than strings and integers), is a panic.
//
// A frame holds up to 16 MiB, and a tick may emit half of that: send big things in parts.
func Emit[T any](to Audience, ev Event[T], v T) {
	emit(to.audience(), ev, v, false, 0)
}

// EmitLatest sends an event of which only the newest counts, such as a position: of those with the same event and key that a
// client has not yet been handed, it gets the last one. Otherwise it is as Emit.
func EmitLatest[T any](to Audience, ev Event[T], key uint64, v T) {
	emit(to.audience(), ev, v, true, key)
}

func emit[T any](to audience, ev Event[T], v T, latest bool, key uint64) {
	if to.room == nil {
		broadcast(to.kinds, ev, v, latest, key)
		return
	}
	r := to.room
	r.mustOwn("Emit")
	slot, emitter := emitterFor[T](r.kind, string(ev))
	if latest {
		r.kind.host.names.noteLatest(slot.index)
	}
	s := segment{scope: to.scope, who: to.who, index: int32(slot.index), key: key, latest: latest}
	b := r.log.bytes
	if to.scope == toSet || to.scope == toRest {
		for _, c := range to.set {
			if c == nil || c.room != r {
				continue // another room's numbers mean other clients
			}
			b = binary.BigEndian.AppendUint32(b, c.id)
			s.who++
		}
	}
	at := len(b)
	b, err := emitter.append(appendEvent(b, slot), v)
	if err != nil {
		panic(fmt.Sprintf("room: emit %s: %v", ev, err))
	}
	switch { // now that nothing can go wrong any more: the next segment is this one
	case to.scope == toOne:
		r.target(to.one)
	case to.scope == toSet:
		for _, c := range to.set {
			if c != nil && c.room == r {
				r.target(c)
			}
		}
	}
	r.commit(b, at, s)
}

func appendEvent(b []byte, s *slot) []byte {
	if s.index < 0 {
		return codec.AppendNamedEvent(b, s.name)
	}
	return codec.AppendEvent(b, s.index)
}

// broadcast encodes the event once for each kind and puts it into the inbox of each of its rooms.
func broadcast[T any](kinds []*kind, ev Event[T], v T, latest bool, key uint64) {
	for _, k := range kinds {
		if k.host == nil {
			panic(fmt.Sprintf("room: emit %s: kind %q has no server yet", ev, k.name))
		}
		slot, emitter := emitterFor[T](k, string(ev))
		if latest {
			k.host.names.noteLatest(slot.index)
		}
		b, err := emitter.append(appendEvent(nil, slot), v)
		if err != nil {
			panic(fmt.Sprintf("room: emit %s: %v", ev, err))
		}
		for _, r := range k.directory.all() {
			it := item{kind: itemEmit, index: int32(slot.index), key: key, latest: latest}
			if !r.receive(it, b) && r.inbox.end() == nil {
				k.host.counts.lost.Add(1)
				r.Logger().Warn("room: too much is emitted to all rooms; an event is lost", "event", string(ev))
			}
		}
	}
}

// commit adds a packet to the log.
func (r *Room) commit(b []byte, at int, s segment) {
	r.log.commit(b, at, s)
	if n := r.log.tickBytes(); n > maxTickBytes {
		panic(fmt.Sprintf("room: %d bytes emitted in one tick; the limit is %d", n, maxTickBytes))
	}
}

// tickBytes is how many bytes the current tick has emitted.
func (l *log) tickBytes() int {
	if l.tick >= l.end() {
		return 0
	}
	return len(l.bytes) - int(l.at(l.tick).start())
}

// replying returns the log's bytes with the beginning of a reply, to which the caller appends the payload; replied then
// takes the result.
func (r *Room) replying() []byte {
	r.replyAt = len(r.log.bytes)
	return codec.AppendReply(r.log.bytes)
}

// replied commits the reply to request id of c.
func (r *Room) replied(c *Client, id uint32, b []byte, err error) {
	if err != nil {
		panic(fmt.Sprintf("room: reply: %v", err))
	}
	r.target(c)
	r.commit(codec.AppendUint(b, uint64(id)), r.replyAt, segment{scope: toOne, who: c.id})
}

// refuse tells c why its request id has no reply.
func (r *Room) refuse(c *Client, id uint32, why string) {
	at := len(r.log.bytes)
	r.target(c)
	r.commit(codec.AppendFailure(r.log.bytes, why, id), at, segment{scope: toOne, who: c.id})
}
