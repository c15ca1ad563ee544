package tick

import (
	"math"
	"math/bits"
	"time"
)

const (
	slot   = 250 * time.Microsecond
	slots  = 4096 // a power of two above 4000: the period of the slowest rate is one lap
	words  = slots / 64
	noSlot = math.MaxInt64
)

// wheel is a hashed timing wheel of 250 µs slots (Varghese and Lauck, 1987),
// with a bitmap of the slots in use so that finding the next one costs the same
// however far away it is. A task that is more than a lap ahead of the cursor
// stays in its slot when the cursor passes. Guarded by the shard's mutex.
type wheel struct {
	cursor int64 // every task due at or before this slot has been taken out
	used   [words]uint64
	slots  [slots]list
}

// slotAfter is the first slot that begins at or after d: a task is never early,
// and late by less than a slot.
func slotAfter(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return (int64(d) + int64(slot) - 1) / int64(slot)
}

// slotAt is the slot that contains now.
func slotAt(now time.Duration) int64 { return max(0, int64(now/slot)) }

// insert files t under its deadline; one in the past goes to the next slot.
func (w *wheel) insert(t *Task, deadline time.Duration) {
	t.due = max(slotAfter(deadline), w.cursor+1)
	i := t.due % slots
	w.slots[i].push(t)
	w.used[i/64] |= 1 << (i % 64)
}

// remove takes out a task that insert has filed.
func (w *wheel) remove(t *Task) {
	i := t.due % slots
	w.slots[i].remove(t)
	if w.slots[i].head == nil {
		w.used[i/64] &^= 1 << (i % 64)
	}
}

// advance moves the cursor to the slot of now and the tasks due by then to out,
// in the order of their deadlines. After a long pause one lap finds them all.
func (w *wheel) advance(now int64, out *list) {
	if now <= w.cursor {
		return
	}
	last := min(now, w.cursor+slots)
	for v := w.seek(w.cursor + 1); v <= last; v = w.seek(v + 1) {
		for t := w.slots[v%slots].head; t != nil; {
			next := t.next
			if t.due <= now {
				w.remove(t)
				out.push(t)
			}
			t = next
		}
	}
	w.cursor = now
}

// next is the first slot after the cursor that needs a look, or noSlot. It is
// never later than the earliest task; it is earlier only if that one is more
// than a lap away.
func (w *wheel) next() int64 { return w.seek(w.cursor + 1) }

// seek is the first slot in use in the lap that begins at from, or noSlot.
func (w *wheel) seek(from int64) int64 {
	i := from % slots
	word, bit := i/64, i%64
	if m := w.used[word] >> bit; m != 0 {
		return from + int64(bits.TrailingZeros64(m))
	}
	at := from + 64 - bit
	for k := int64(1); k <= words; k++ {
		if m := w.used[(word+k)%words]; m != 0 {
			return at + int64(bits.TrailingZeros64(m))
		}
		at += 64
	}
	return noSlot
}
