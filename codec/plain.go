package codec

import "reflect"

// Plain reports whether every value of type t has an encoding that a peer accepts, NaN and infinities apart: no strings that
// might not be UTF-8, no maps, no interfaces, no types that encode themselves, no recursion. What is not plain wants a Scan
// before it is sent.
func Plain(t reflect.Type) bool {
	if t == timeType {
		return true
	}
	if encodesItself(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
		reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return true
	case reflect.Array:
		return Plain(t.Elem())
	case reflect.Slice: // of scalars only: a slice of structs may be one of itself
		return isScalar(t.Elem().Kind()) && Plain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_msgpack" && !Plain(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

func isScalar(k reflect.Kind) bool { return k >= reflect.Bool && k <= reflect.Float64 }

// encodesItself reports whether msgpack/v5 would call a method of t or *t to encode it.
func encodesItself(t reflect.Type) bool {
	for _, method := range []string{"EncodeMsgpack", "MarshalMsgpack", "MarshalBinary", "MarshalText"} {
		if _, ok := reflect.PointerTo(t).MethodByName(method); ok {
			return true
		}
	}
	return false
}
