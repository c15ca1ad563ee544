package socketio

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
)

// jsonKey is a key of an object that is open: where its entry begins in jsonReader.out, and how many bytes it has.
type jsonKey struct {
	at, size int
	mark     uint64 // equal for equal keys
	gone     bool   // it came again
}

// end returns where its value begins.
func (k *jsonKey) end() int { return k.at + strHeader(k.size) + k.size }

// in returns the key itself.
func (k *jsonKey) in(out []byte) []byte { return out[k.end()-k.size : k.end()] }

// markOf returns the mark of the key that is the last n bytes of out. Keys of up to seven bytes that differ have different ones.
func markOf(out []byte, n int) uint64 {
	if n < 8 {
		var mark uint64
		for _, c := range out[len(out)-n:] {
			mark = mark<<8 | uint64(c)
		}
		return mark | uint64(n)<<56
	}
	first, last := binary.LittleEndian.Uint64(out[len(out)-n:]), binary.LittleEndian.Uint64(out[len(out)-8:])
	return first ^ last*0x9e3779b97f4a7c15 ^ uint64(n)
}

// fewKeys can be compared each with each.
const fewKeys = 16

// supersede marks the keys that come again as gone, as JSON.parse keeps the last one. It reports whether there are any.
func (t *jsonReader) supersede(keys []jsonKey) (twice bool) {
	if len(keys) > fewKeys {
		return t.supersedeMany(keys)
	}
	for i := 1; i < len(keys); i++ {
		for j := range i {
			if keys[j].mark == keys[i].mark && bytes.Equal(keys[j].in(t.out), keys[i].in(t.out)) {
				keys[j].gone, twice = true, true
			}
		}
	}
	return twice
}

// keySeed keeps clients from choosing keys that collide.
var keySeed = maphash.MakeSeed()

// supersedeMany is supersede with a hash table: 1 + the index of a key, or 0.
func (t *jsonReader) supersedeMany(keys []jsonKey) (twice bool) {
	size := 64
	for size < 2*len(keys) {
		size *= 2
	}
	t.table = append(t.table[:0], make([]int32, size)...)
	for i := range keys {
		name := keys[i].in(t.out)
		slot := int(maphash.Bytes(keySeed, name)) & (size - 1)
		for ; t.table[slot] != 0; slot = (slot + 1) & (size - 1) {
			other := &keys[t.table[slot]-1]
			if other.mark == keys[i].mark && bytes.Equal(other.in(t.out), name) {
				other.gone, twice = true, true
				break
			}
		}
		t.table[slot] = int32(i + 1)
	}
	return twice
}

// drop takes the entries whose keys are gone out of the object that ends out, and returns how many are left.
func (t *jsonReader) drop(keys []jsonKey) (n int) {
	to := keys[0].at
	hole := len(t.holes)
	for hole > 0 && t.holes[hole-1].at >= to {
		hole--
	}
	kept := hole
	for i := range keys {
		from, end := keys[i].at, len(t.out)
		if i+1 < len(keys) {
			end = keys[i+1].at
		}
		for ; hole < len(t.holes) && t.holes[hole].at < end; hole++ {
			if !keys[i].gone {
				t.holes[kept] = jsonHole{t.holes[hole].at - (from - to), t.holes[hole].num}
				kept++
			}
		}
		if !keys[i].gone {
			to += copy(t.out[to:], t.out[from:end])
			n++
		}
	}
	t.out, t.holes = t.out[:to], t.holes[:kept]
	return n
}
