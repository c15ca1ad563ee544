package codec

import (
	"github.com/vmihailenco/msgpack/v5"
)

// Encoder appends values in msgpack/v5's format. Integers and whole floats take their shortest form. It belongs to one
// goroutine at a time; the zero value is not usable.
//
// What it writes is what the value says: a string that is not UTF-8, a NaN or an extension of the user's own is written
// too, and the peer refuses it.
type Encoder struct {
	enc *msgpack.Encoder
	out sink
}

// NewEncoder returns an Encoder.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.enc = msgpack.NewEncoder(&e.out)
	return e
}

// Append appends the encoding of v to b. Pass a pointer to a value that already lives on the heap and nothing is
// allocated. On an error b is returned as it was.
func (e *Encoder) Append(b []byte, v any) ([]byte, error) {
	// Each time anew: a user's EncodeMsgpack may have changed flags, and interned strings must not refer to earlier values.
	e.enc.Reset(&e.out)
	e.enc.UseCompactInts(true)
	e.enc.UseCompactFloats(true)
	e.out.b = b
	err := e.enc.Encode(v)
	out := e.out.b
	e.out.b = nil
	if err != nil {
		return b, err
	}
	return out, nil
}

// sink is the writer of an Encoder's msgpack.Encoder.
type sink struct {
	b []byte
}

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

func (s *sink) WriteByte(c byte) error {
	s.b = append(s.b, c)
	return nil
}

// Marshal returns the encoding of v as an Encoder writes it.
func Marshal(v any) ([]byte, error) {
	return NewEncoder().Append(nil, v)
}
