package codec

import (
	"fmt"
	"reflect"
	"unsafe"
)

// field is one field of a struct as the wire knows it.
type field struct {
	name   string
	alias  string // another name that is read for it, or ""
	offset uintptr
	decode decodeFunc
}

// structDecoder reads a struct from a map of its fields' names, or from an array of its fields in order, whichever comes.
// Names, "-" and embedding follow msgpack/v5's tags; a field tagged volley:"nonfinite" may hold NaN and infinities.
func (c *compiler) structDecoder(t reflect.Type) (decodeFunc, error) {
	fields, err := c.fields(t)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 && t.NumField() > 0 {
		return nil, fmt.Errorf("%s has no exported fields, so that nothing of it could arrive", t)
	}
	if len(fields) > 64 {
		return c.largeStruct(fields), nil
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if len(fields) == 0 && s.r.Nil() {
			return nil // an event without a payload
		}
		if done, err := decodeFields(s, p, fields); done {
			return err
		}
		n, err := s.r.Map()
		if err != nil {
			return err
		}
		var seen uint64
		next := 0 // peers send fields in one order, so the next one is the first guess
		for range n {
			key, err := s.r.Str()
			if err != nil {
				return inKey(err, "a field name")
			}
			i := find(fields, key, next)
			if i < 0 {
				if _, err := s.r.Value(); err != nil {
					return err
				}
				continue
			}
			if seen&(1<<i) != 0 {
				return Errorf(BadPayload, "%s comes twice", fields[i].name)
			}
			seen |= 1 << i
			next = i + 1
			if err := fields[i].decode(s, unsafe.Add(p, fields[i].offset)); err != nil {
				return inField(err, fields[i].name)
			}
		}
		return nil
	}, nil
}

// largeStruct is structDecoder for more fields than a word has bits.
func (c *compiler) largeStruct(fields []field) decodeFunc {
	index := make(map[string]int, len(fields))
	for i, f := range fields {
		index[f.name] = i
		if f.alias != "" {
			index[f.alias] = i
		}
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if done, err := decodeFields(s, p, fields); done {
			return err
		}
		n, err := s.r.Map()
		if err != nil {
			return err
		}
		seen := make([]bool, len(fields))
		for range n {
			key, err := s.r.Str()
			if err != nil {
				return inKey(err, "a field name")
			}
			i, ok := index[string(key)]
			if !ok {
				if _, err := s.r.Value(); err != nil {
					return err
				}
				continue
			}
			if seen[i] {
				return Errorf(BadPayload, "%s comes twice", fields[i].name)
			}
			seen[i] = true
			if err := fields[i].decode(s, unsafe.Add(p, fields[i].offset)); err != nil {
				return inField(err, fields[i].name)
			}
		}
		return nil
	}
}

// decodeFields reads a struct that came as an array, and reports whether it did.
func decodeFields(s *decodeState, p unsafe.Pointer, fields []field) (bool, error) {
	if s.r.p >= len(s.r.b) || !isArray(s.r.b[s.r.p]) {
		return false, nil
	}
	n, err := s.r.Array()
	if err != nil {
		return true, err
	}
	if n != len(fields) {
		return true, Errorf(BadPayload, "%d values where the struct has %d fields", n, len(fields))
	}
	for i := range fields {
		if err := fields[i].decode(s, unsafe.Add(p, fields[i].offset)); err != nil {
			return true, inField(err, fields[i].name)
		}
	}
	return true, nil
}

// find returns the index of the field called key, looking at the guess first, or -1.
func find(fields []field, key []byte, guess int) int {
	if guess < len(fields) && fields[guess].name == string(key) {
		return guess
	}
	for i := range fields {
		if fields[i].name == string(key) {
			return i
		}
	}
	for i := range fields {
		if fields[i].alias != "" && fields[i].alias == string(key) {
			return i
		}
	}
	return -1
}
