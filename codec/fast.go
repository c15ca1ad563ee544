package codec

import (
	"math"
	"reflect"
	"strings"
	"unsafe"
)

// FastEncoder returns a function that appends v's encoding to b, the same bytes as an Encoder writes, without reflection and
// without allocating. It exists for types of plain data: numbers, booleans, arrays, slices of numbers, and structs of
// those without embedding or omitempty. ok is false for any other type.
func FastEncoder[T any]() (encode func(b []byte, v *T) []byte, ok bool) {
	f := fastEncoder(reflect.TypeFor[T]())
	if f == nil {
		return nil, false
	}
	return func(b []byte, v *T) []byte { return f(b, unsafe.Pointer(v)) }, true
}

// encodeFunc appends the encoding of the variable at p.
type encodeFunc func(b []byte, p unsafe.Pointer) []byte

// fastEncoder returns nil for a type that it does not know.
func fastEncoder(t reflect.Type) encodeFunc {
	if t == timeType || encodesItself(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendBool(b, *(*bool)(p)) }
	case reflect.Float32:
		return encodeFloat32
	case reflect.Float64:
		return encodeFloat64
	case reflect.Array:
		return fastArray(t)
	case reflect.Slice:
		return fastSlice(t)
	case reflect.Struct:
		return fastStruct(t)
	}
	return fastInteger(t)
}

func fastInteger(t reflect.Type) encodeFunc {
	switch t.Kind() {
	case reflect.Int8:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendInt(b, int64(*(*int8)(p))) }
	case reflect.Int16:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendInt(b, int64(*(*int16)(p))) }
	case reflect.Int32:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendInt(b, int64(*(*int32)(p))) }
	case reflect.Int64:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendInt(b, *(*int64)(p)) }
	case reflect.Int:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendInt(b, int64(*(*int)(p))) }
	case reflect.Uint8:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendUint(b, uint64(*(*uint8)(p))) }
	case reflect.Uint16:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendUint(b, uint64(*(*uint16)(p))) }
	case reflect.Uint32:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendUint(b, uint64(*(*uint32)(p))) }
	case reflect.Uint64:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendUint(b, *(*uint64)(p)) }
	case reflect.Uint:
		return func(b []byte, p unsafe.Pointer) []byte { return AppendUint(b, uint64(*(*uint)(p))) }
	}
	return nil
}

// A whole float takes the form of an integer, as with msgpack/v5's compact floats.
func encodeFloat32(b []byte, p unsafe.Pointer) []byte {
	f := *(*float32)(p)
	if i := int64(f); float32(i) == f && f < 1<<63 { // beyond it, what int64(f) is depends on the processor
		return AppendInt(b, i)
	}
	return AppendFloat32(b, f)
}

func encodeFloat64(b []byte, p unsafe.Pointer) []byte {
	f := *(*float64)(p)
	if i := int64(f); float64(i) == f && f < 1<<63 {
		return AppendInt(b, i)
	}
	return AppendFloat64(b, f)
}

var byteType = reflect.TypeFor[byte]()

func fastArray(t reflect.Type) encodeFunc {
	n, elem := t.Len(), t.Elem()
	if elem.Kind() == reflect.Uint8 {
		if elem != byteType {
			return nil
		}
		return func(b []byte, p unsafe.Pointer) []byte { return AppendBin(b, unsafe.Slice((*byte)(p), n)) }
	}
	each := fastEncoder(elem)
	if each == nil {
		return nil
	}
	size := elem.Size()
	return func(b []byte, p unsafe.Pointer) []byte {
		b = AppendArray(b, n)
		for i := range n {
			b = each(b, unsafe.Add(p, uintptr(i)*size))
		}
		return b
	}
}

// fastSlice encodes []byte, and slices of predeclared numbers.
func fastSlice(t reflect.Type) encodeFunc {
	elem := t.Elem()
	if t == reflect.SliceOf(byteType) {
		return func(b []byte, p unsafe.Pointer) []byte {
			if v := *(*[]byte)(p); v != nil {
				return AppendBin(b, v)
			}
			return AppendNil(b)
		}
	}
	if elem.Kind() == reflect.Uint8 || !isScalar(elem.Kind()) || elem.PkgPath() != "" {
		return nil
	}
	each, size := fastEncoder(elem), elem.Size()
	if each == nil {
		return nil
	}
	return func(b []byte, p unsafe.Pointer) []byte {
		v := *(*[]byte)(p) // of some other element type: only its beginning and its length are read
		if v == nil {
			return AppendNil(b)
		}
		b = AppendArray(b, len(v))
		for i, first := 0, unsafe.Pointer(unsafe.SliceData(v)); i < len(v); i++ {
			b = each(b, unsafe.Add(first, uintptr(i)*size))
		}
		return b
	}
}

// fastStruct encodes structs whose fields are all known, none of them embedded or left out when empty.
func fastStruct(t reflect.Type) encodeFunc {
	type member struct {
		name   []byte // encoded; empty in an array
		offset uintptr
		encode encodeFunc
	}
	var members []member
	seen := map[string]bool{}
	asArray := false
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("msgpack")
		if f.Name == "_msgpack" {
			if asArray = tag == ",as_array"; !asArray && tag != "" {
				return nil
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous || options != "" || seen[name] {
			return nil
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		m := member{offset: f.Offset, encode: fastEncoder(f.Type)}
		if m.encode == nil || seen[name] {
			return nil
		}
		seen[name] = true
		m.name = AppendStr(nil, name)
		members = append(members, m)
	}
	return func(b []byte, p unsafe.Pointer) []byte {
		if asArray {
			b = AppendArray(b, len(members))
		} else {
			b = AppendMap(b, len(members))
		}
		for i := range members {
			m := &members[i]
			if !asArray {
				b = append(b, m.name...)
			}
			b = m.encode(b, unsafe.Add(p, m.offset))
		}
		return b
	}
}

// AppendFloat32 appends a float of four bytes.
func AppendFloat32(b []byte, f float32) []byte {
	u := math.Float32bits(f)
	return append(b, 0xca, byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
}

// AppendFloat64 appends a float of eight bytes.
func AppendFloat64(b []byte, f float64) []byte {
	u := math.Float64bits(f)
	return append(b, 0xcb, byte(u>>56), byte(u>>48), byte(u>>40), byte(u>>32), byte(u>>24), byte(u>>16), byte(u>>8), byte(u))
}

// AppendBin appends binary data.
func AppendBin(b, data []byte) []byte {
	switch n := len(data); {
	case n <= math.MaxUint8:
		b = append(b, 0xc4, byte(n))
	case n <= math.MaxUint16:
		b = append(b, 0xc5, byte(n>>8), byte(n))
	default:
		b = append(b, 0xc6, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, data...)
}
