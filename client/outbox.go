package client

import "github.com/volley-go/volley/codec"

// outbox is the packets of one room that the server has not processed yet, in order: first those that were sent, then those
// that wait to be. Everything that is numbered lives here and nowhere else, so that what must be sent again after a lost
// connection is simply what is still here (resend). Guarded by its room's mu.
type outbox struct {
	bytes []byte   // the packets, one after the other, from head on
	ends  []uint32 // where in bytes each packet ends, from first on
	head  uint32   // where in bytes the first packet begins
	first int      // the first packet's place in ends
	next  int      // the place in ends of the first packet that was not sent
	acked uint64   // the number of the packet before the first: the last that the server has processed
	taken uint64   // the number of the last packet that was ever taken: the server may have it
}

// last is the number of the last packet put in, 0 before the first.
func (o *outbox) last() uint64 { return o.acked + uint64(len(o.ends)-o.first) }

// lastSent is the number of the last packet that was taken.
func (o *outbox) lastSent() uint64 { return o.acked + uint64(o.next-o.first) }

// fits reports whether a packet of n bytes may be put in. One packet always may.
func (o *outbox) fits(n, bound int) bool {
	held, count := len(o.bytes)-int(o.head), len(o.ends)-o.first
	return count == 0 || held+n <= bound && count < bound/16
}

// put adds a packet, of two parts.
func (o *outbox) put(head, tail []byte) {
	full := len(o.bytes)+len(head)+len(tail) > cap(o.bytes) && int(o.head) >= cap(o.bytes)/2
	if o.first > 0 && (full || len(o.ends) == cap(o.ends) && o.first >= cap(o.ends)/2) {
		o.compact()
	}
	o.bytes = append(append(o.bytes, head...), tail...)
	o.ends = append(o.ends, uint32(len(o.bytes)))
}

// compact moves what is left to the front. It is done when half of the space is free, so that its cost is spread.
func (o *outbox) compact() {
	o.bytes = o.bytes[:copy(o.bytes, o.bytes[o.head:])]
	n := copy(o.ends, o.ends[o.first:])
	o.ends = o.ends[:n]
	for i := range o.ends {
		o.ends[i] -= o.head
	}
	o.next -= o.first
	o.first, o.head = 0, 0
}

// take returns the packets of the next frame, how many they are, and the number of the first. A frame of several packets is kept
// to limits.Elements bytes: each value has a byte or more, so there are not too many.
func (o *outbox) take(limits codec.Limits) (packets []byte, count int, seq uint64) {
	seq = o.lastSent() + 1
	start := o.start(o.next)
	end := start
	most := min(limits.Frame-codec.MaxPrefix, limits.Elements-frameElements)
	for o.next < len(o.ends) && count < limits.Packets {
		if count > 0 && int(o.ends[o.next]-start) > most {
			break
		}
		end = o.ends[o.next]
		o.next++
		count++
	}
	o.taken = max(o.taken, o.lastSent())
	return o.bytes[start:end], count, seq
}

// frameElements are the values of a VOLLEY that are not in a packet.
const frameElements = 6

func (o *outbox) start(i int) uint32 {
	if i == o.first {
		return o.head
	}
	return o.ends[i-1]
}

// trim forgets the packets up to number ack, and reports whether they had been sent.
func (o *outbox) trim(ack uint64) bool {
	if ack > o.taken {
		return false
	}
	if ack <= o.acked {
		return true
	}
	n := int(ack - o.acked)
	o.head = o.ends[o.first+n-1]
	o.first += n
	o.next = max(o.next, o.first)
	o.acked = ack
	if o.first == len(o.ends) {
		o.bytes, o.ends, o.head, o.first, o.next = o.bytes[:0], o.ends[:0], 0, 0, 0
		if cap(o.bytes) > keepOutbox {
			o.bytes, o.ends = nil, nil
		}
	}
	return true
}

// resend makes the packets behind number seq unsent again, seq being the last that has arrived. It reports whether that can be.
func (o *outbox) resend(seq uint64) bool {
	if seq < o.acked || seq > o.taken {
		return false
	}
	o.next = o.first + int(seq-o.acked)
	return true
}

// keepOutbox is the largest empty outbox that keeps its memory.
const keepOutbox = 4 << 10
