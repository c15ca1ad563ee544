package codec

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

// Decoder reads payloads of one type. It is immutable: any number of goroutines may share it.
type Decoder[T any] struct {
	decode decodeFunc
	pool   sync.Pool // of *decodeState
}

// NewDecoder compiles a Decoder for T. The error says which part of T no payload can hold: channels, functions,
// interfaces with methods and the like.
func NewDecoder[T any]() (*Decoder[T], error) {
	t := reflect.TypeFor[T]()
	c := compiler{known: map[reflect.Type]*decodeFunc{}}
	decode, err := c.compile(t)
	if err != nil {
		return nil, fmt.Errorf("codec: type %s: %w", t, err)
	}
	d := &Decoder[T]{decode: decode}
	d.pool.New = func() any { return newDecodeState() }
	return d, nil
}

// Decode reads payload, which must be one msgpack value, into *v, which is set to its zero value first. A payload that
// does not fit is an *Error with BadPayload that names the field. Strings and slices are copied: nothing in *v aliases
// payload.
//
// It is safe on any bytes, but checks only the limits of ServerLimits: what came through a Reader has passed its own.
func (d *Decoder[T]) Decode(payload []byte, v *T) error {
	var zero T
	*v = zero
	s := d.pool.Get().(*decodeState)
	s.r = NewReader(payload, ServerLimits)
	err := d.decode(s, unsafe.Pointer(v))
	if err == nil {
		err = s.r.Done()
	}
	s.r = Reader{}
	d.pool.Put(s)
	if err != nil {
		return asBadPayload(err)
	}
	return nil
}

// Unmarshal checks b and decodes it into *v.
func Unmarshal[T any](b []byte, v *T) error {
	if err := Scan(b, ServerLimits); err != nil {
		return err
	}
	d, err := NewDecoder[T]()
	if err != nil {
		return err
	}
	return d.Decode(b, v)
}

// decodeFunc decodes the next value into the variable at p, which holds its type's zero value.
type decodeFunc func(s *decodeState, p unsafe.Pointer) error

// decodeState is what one Decode in progress needs: the place in the payload, and msgpack/v5's decoder for the types that
// decode themselves.
type decodeState struct {
	r     Reader
	inner *msgpack.Decoder
	in    byteReader
}

func newDecodeState() *decodeState {
	s := &decodeState{}
	s.inner = msgpack.NewDecoder(&s.in)
	return s
}

// delegate hands the next value to msgpack/v5.
func (s *decodeState) delegate(v any) error {
	b, err := s.r.Value()
	if err != nil {
		return err
	}
	s.in = byteReader{b: b}
	s.inner.ResetReader(&s.in)
	err = s.inner.Decode(v)
	if err == nil && s.in.p != len(b) {
		err = fmt.Errorf("%T left %d bytes of its payload unread", v, len(b)-s.in.p)
	}
	s.in = byteReader{}
	return err
}

// asBadPayload wraps what a user's own decoding method may return.
func asBadPayload(err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{BadPayload, err.Error()}
}

// inField puts the name of a field, an index or a key in front of the reason.
func inField(err error, name string) error {
	if e, ok := err.(*Error); ok {
		if e.Code != BadPayload {
			return e
		}
		err = errorText(e.Reason)
	}
	return &Error{BadPayload, name + ": " + err.Error()}
}

type errorText string

func (e errorText) Error() string { return string(e) }
