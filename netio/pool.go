package netio

import (
	"math/bits"
	"sync"
)

const (
	minPooled = 6  // 64 bytes
	maxPooled = 17 // 128 KiB: a message of the default limit and its header
)

// bufPool keeps byte buffers by power-of-two capacity, so that a small partial frame never holds the memory of a large
// one. It also serves nbio's write queue and the TLS records: its methods are those that both of them ask for.
type bufPool struct {
	classes [maxPooled + 1]sync.Pool // of *[]byte with a capacity of exactly 1<<i
}

// class is the smallest i with 1<<i >= n.
func class(n int) int {
	return max(bits.Len(uint(max(n, 1)-1)), minPooled)
}

// Malloc returns a buffer of length n.
func (p *bufPool) Malloc(n int) *[]byte {
	i := class(n)
	if i > maxPooled {
		b := make([]byte, n)
		return &b
	}
	if b, ok := p.classes[i].Get().(*[]byte); ok {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n, 1<<i)
	return &b
}

// Free takes b back. Buffers that are not of the pool's sizes are left to the collector.
func (p *bufPool) Free(b *[]byte) {
	if b == nil {
		return
	}
	c := cap(*b)
	if i := class(c); i <= maxPooled && c == 1<<i {
		p.classes[i].Put(b)
	}
}

// Realloc returns a buffer of length n that begins with b's bytes; b must not be used afterwards.
func (p *bufPool) Realloc(b *[]byte, n int) *[]byte {
	if n <= cap(*b) {
		*b = (*b)[:n]
		return b
	}
	grown := p.Malloc(max(n, min(2*cap(*b), n+n/4)))
	*grown = (*grown)[:n]
	copy(*grown, *b)
	p.Free(b)
	return grown
}

// Append returns a buffer of b's bytes and more; b, which may be nil, must not be used afterwards.
func (p *bufPool) Append(b *[]byte, more ...byte) *[]byte {
	if b == nil {
		b = p.Malloc(len(more))
		copy(*b, more)
		return b
	}
	n := len(*b)
	b = p.Realloc(b, n+len(more))
	copy((*b)[n:], more)
	return b
}

// AppendString is Append of a string.
func (p *bufPool) AppendString(b *[]byte, more string) *[]byte {
	n := len(*b)
	b = p.Realloc(b, n+len(more))
	copy((*b)[n:], more)
	return b
}
