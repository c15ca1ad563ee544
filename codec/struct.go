package codec

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// field is one field of a struct as the wire knows it.
type field struct {
	name   string
	offset uintptr
	decode decodeFunc
}

// structDecoder reads a struct from a map of its fields' names, or from an array of its fields in order, whichever comes.
// Names, "-" and embedding follow msgpack/v5's tags; a field tagged volley:"nonfinite" may hold NaN and infinities.
func (c *compiler) structDecoder(t reflect.Type) (decodeFunc, error) {
	fields, err := c.fields(t, 0)
	if err != nil {
		return nil, err
	}
	if len(fields) > 64 {
		return c.largeStruct(fields), nil
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if isArray, err := decodeFields(s, p, fields); isArray {
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
				return inField(err, "a field name")
			}
			i := find(fields, key, next)
			if i < 0 {
				if _, err := s.r.Value(); err != nil {
					return err
				}
				continue
			}
			if seen&(1<<i) != 0 {
				return Errorf(BadPayload, "%s comes twice", key)
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
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if isArray, err := decodeFields(s, p, fields); isArray {
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
				return inField(err, "a field name")
			}
			i, ok := index[string(key)]
			if !ok {
				if _, err := s.r.Value(); err != nil {
					return err
				}
				continue
			}
			if seen[i] {
				return Errorf(BadPayload, "%s comes twice", key)
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
	if s.r.p >= len(s.r.b) || kindOf(s.r.b[s.r.p]) != "an array" {
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
	return -1
}

// fields lists the fields of t, embedded structs flattened as msgpack/v5 does.
func (c *compiler) fields(t reflect.Type, base uintptr) ([]field, error) {
	var list []field
	names := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
		if name == "-" || f.Name == "_msgpack" {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && !decodesItself(f.Type) && !hasOption(options, "noinline") {
			inner, err := c.fields(f.Type, base+f.Offset)
			if err != nil {
				return nil, err
			}
			list = append(list, inner...)
			continue
		}
		if !f.IsExported() {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Pointer {
			return nil, fmt.Errorf("field %s: an embedded pointer cannot be decoded; embed the struct or name the field", f.Name)
		}
		if hasOption(options, "inline") {
			return nil, fmt.Errorf("field %s: inline is for embedded structs", f.Name)
		}
		if name == "" {
			name = f.Name
		}
		if names[name] {
			return nil, fmt.Errorf("two fields are called %s", name)
		}
		names[name] = true
		decode, err := c.fieldDecoder(f)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		list = append(list, field{name: name, offset: base + f.Offset, decode: decode})
	}
	return list, nil
}

func (c *compiler) fieldDecoder(f reflect.StructField) (decodeFunc, error) {
	if f.Tag.Get("volley") != "nonfinite" {
		return c.compile(f.Type)
	}
	if k := f.Type.Kind(); k != reflect.Float32 && k != reflect.Float64 {
		return nil, fmt.Errorf(`volley:"nonfinite" is for floats, not %s`, f.Type)
	}
	return floatDecoder(f.Type, true), nil
}

func hasOption(options, want string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == want {
			return true
		}
	}
	return false
}
