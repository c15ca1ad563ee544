package codec

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// Decoder reads payloads of one type. It is immutable: any number of goroutines may share it.
type Decoder[T any] struct{ compiled }

// compiled decodes one type.
type compiled struct {
	decode decodeFunc
	// recursive: the type contains itself, so that only the payload bounds how deep a decode nests. Its nesting is checked first.
	recursive bool
}

func compiledFor(t reflect.Type) (compiled, error) {
	c := compiler{known: map[reflect.Type]*decodeFunc{}}
	decode, err := c.compile(t)
	if err != nil {
		return compiled{}, fmt.Errorf("codec: type %s: %w", t, err)
	}
	return compiled{decode: decode, recursive: c.recursive}, nil
}

// read decodes payload into the variable at p, which holds its type's zero value.
func (d compiled) read(payload []byte, p unsafe.Pointer) error {
	s := states.Get().(*decodeState)
	s.r = NewReader(payload, ServerLimits)
	err := s.run(d.decode, p, d.recursive)
	s.r = Reader{}
	states.Put(s) // not deferred: a state in which a user's method has panicked is not used again
	return err
}

// NewDecoder compiles a Decoder for T. The error says which part of T no payload can hold: channels, functions,
// interfaces with methods and the like.
func NewDecoder[T any]() (*Decoder[T], error) {
	c, err := compiledFor(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return &Decoder[T]{c}, nil
}

// Decode reads payload, which must be one msgpack value, into *v, which is set to its zero value first. A payload that
// does not fit is an *Error with BadPayload that names the field. Strings and slices are copied: nothing in *v aliases
// payload.
//
// It is safe on any bytes, but checks only the limits of ServerLimits: what came through a Reader has passed its own.
func (d *Decoder[T]) Decode(payload []byte, v *T) error {
	var zero T
	*v = zero
	return d.read(payload, unsafe.Pointer(v))
}

// decoders holds what was compiled for Unmarshal and Into, by reflect.Type.
var decoders sync.Map

func decoderOf(t reflect.Type) (compiled, error) {
	if known, ok := decoders.Load(t); ok {
		return known.(compiled), nil
	}
	c, err := compiledFor(t)
	if err == nil {
		decoders.Store(t, c)
	}
	return c, err
}

// Unmarshal checks b and decodes it into *v. The type is compiled once.
func Unmarshal[T any](b []byte, v *T) error {
	if err := Scan(b, ServerLimits); err != nil {
		return err
	}
	d, err := decoderOf(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	var zero T
	*v = zero
	return d.read(b, unsafe.Pointer(v))
}

// Into is Unmarshal into the variable that ptr, a pointer, points to.
func Into(b []byte, ptr any) error {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("codec: a %T where a pointer to a variable is wanted", ptr)
	}
	if err := Scan(b, ServerLimits); err != nil {
		return err
	}
	d, err := decoderOf(v.Type().Elem())
	if err != nil {
		return err
	}
	v.Elem().SetZero()
	return d.read(b, v.UnsafePointer())
}

// decodeFunc decodes the next value into the variable at p, which holds its type's zero value.
type decodeFunc func(s *decodeState, p unsafe.Pointer) error

// decodeState is what one Decode in progress needs: the place in the payload, and msgpack/v5's decoder for the types that
// decode themselves, once there was one.
type decodeState struct {
	r     Reader
	inner *delegate
}

// states are shared by the Decoders of all types.
var states = sync.Pool{New: func() any { return new(decodeState) }}

func (s *decodeState) run(decode decodeFunc, p unsafe.Pointer, recursive bool) error {
	if recursive {
		ahead := s.r
		if _, err := ahead.Value(); err != nil {
			return err
		}
	}
	if err := decode(s, p); err != nil {
		return asBadPayload(err)
	}
	return s.r.Done()
}
