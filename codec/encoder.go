package codec

import (
	"github.com/vmihailenco/msgpack/v5"
)

// Encoder appends values in msgpack/v5's format. Integers and whole floats take their shortest form. It belongs to one
// goroutine at a time; the zero value is not usable.
type Encoder struct {
	enc *msgpack.Encoder
	out []byte
}

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.enc = msgpack.NewEncoder(e)
	e.enc.UseCompactInts(true)
	e.enc.UseCompactFloats(true)
	return e
}

// Append appends the encoding of v to b. Pass a pointer to a value that already lives on the heap and nothing is
// allocated. On an error b is returned as it was.
func (e *Encoder) Append(b []byte, v any) ([]byte, error) {
	e.out = b
	err := e.enc.Encode(v)
	out := e.out
	e.out = nil
	if err != nil {
		return b, err
	}
	return out, nil
}

// Write makes the Encoder the writer of its msgpack.Encoder; it is not for callers.
func (e *Encoder) Write(p []byte) (int, error) {
	e.out = append(e.out, p...)
	return len(p), nil
}

// WriteByte is as Write.
func (e *Encoder) WriteByte(c byte) error {
	e.out = append(e.out, c)
	return nil
}

// Marshal returns the encoding of v as an Encoder writes it.
func Marshal(v any) ([]byte, error) {
	return NewEncoder().Append(nil, v)
}
