package codec

import (
	"math"
	"reflect"
	"unsafe"
)

func decodeBool(s *decodeState, p unsafe.Pointer) (err error) {
	*(*bool)(p), err = s.r.Bool()
	return err
}

func decodeString(s *decodeState, p unsafe.Pointer) error {
	b, err := s.r.Str()
	if err == nil {
		*(*string)(p) = string(b)
	}
	return err
}

func decodeBytes(s *decodeState, p unsafe.Pointer) error {
	if s.r.Nil() {
		return nil
	}
	b, err := s.r.Bin()
	if err == nil {
		*(*[]byte)(p) = append([]byte{}, b...)
	}
	return err
}

// intDecoder decodes into a signed integer of any width: the number must be whole and fit.
func intDecoder(t reflect.Type) decodeFunc {
	size, name := t.Size(), t.Kind().String()
	shift := 64 - 8*size
	return func(s *decodeState, p unsafe.Pointer) error {
		n, err := s.r.Number()
		if err != nil {
			return err
		}
		i, ok := n.Int64()
		if !ok || i<<shift>>shift != i {
			return Errorf(BadPayload, "%s does not fit %s", n, name)
		}
		switch size {
		case 1:
			*(*int8)(p) = int8(i)
		case 2:
			*(*int16)(p) = int16(i)
		case 4:
			*(*int32)(p) = int32(i)
		default:
			*(*int64)(p) = i
		}
		return nil
	}
}

// uintDecoder decodes into an unsigned integer of any width.
func uintDecoder(t reflect.Type) decodeFunc {
	size, name := t.Size(), t.Kind().String()
	shift := 64 - 8*size
	return func(s *decodeState, p unsafe.Pointer) error {
		n, err := s.r.Number()
		if err != nil {
			return err
		}
		u, ok := n.Uint64()
		if !ok || u<<shift>>shift != u {
			return Errorf(BadPayload, "%s does not fit %s", n, name)
		}
		switch size {
		case 1:
			*(*uint8)(p) = uint8(u)
		case 2:
			*(*uint16)(p) = uint16(u)
		case 4:
			*(*uint32)(p) = uint32(u)
		default:
			*(*uint64)(p) = u
		}
		return nil
	}
}

// floatDecoder decodes into a float, rounding to its precision. NaN and infinities are refused unless nonFinite.
func floatDecoder(t reflect.Type, nonFinite bool) decodeFunc {
	narrow := t.Size() == 4
	return func(s *decodeState, p unsafe.Pointer) error {
		n, err := s.r.Number()
		if err != nil {
			return err
		}
		f := n.Float64()
		if (math.IsNaN(f) || math.IsInf(f, 0)) && !nonFinite {
			return Errorf(BadPayload, "%s is not a finite number", n)
		}
		if !narrow {
			*(*float64)(p) = f
			return nil
		}
		g := float32(f)
		if math.IsInf(float64(g), 0) && !math.IsInf(f, 0) {
			return Errorf(BadPayload, "%s does not fit float32", n)
		}
		*(*float32)(p) = g
		return nil
	}
}

// decodeAny decodes whatever comes: nil, bool, int64 (uint64 beyond it), float64, string, []byte, []any, and
// map[string]any, or map[any]any if a key is an integer. The nesting was bounded when the bytes were checked.
func decodeAny(s *decodeState, p unsafe.Pointer) error {
	v, err := s.any()
	*(*any)(p) = v
	return err
}
