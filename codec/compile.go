package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
)

// compiler turns types into decodeFuncs. known holds finished types and those under way, so that a recursive type ends.
type compiler struct {
	known     map[reflect.Type]*decodeFunc
	recursive bool // a type has been met inside itself
}

var (
	customType      = reflect.TypeFor[msgpack.CustomDecoder]()
	unmarshalerType = reflect.TypeFor[msgpack.Unmarshaler]()
	binaryType      = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

func (c *compiler) compile(t reflect.Type) (decodeFunc, error) {
	if done, ok := c.known[t]; ok {
		c.recursive = c.recursive || *done == nil
		return func(s *decodeState, p unsafe.Pointer) error { return (*done)(s, p) }, nil
	}
	slot := new(decodeFunc)
	c.known[t] = slot
	f, err := c.build(t)
	*slot = f
	return f, err
}

func (c *compiler) build(t reflect.Type) (decodeFunc, error) {
	if t == timeType {
		return decodeTime, nil
	}
	if decodesItself(t) {
		return func(s *decodeState, p unsafe.Pointer) error {
			return s.delegate(reflect.NewAt(t, p).Interface())
		}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return decodeBool, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intDecoder(t), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintDecoder(t), nil
	case reflect.Float32, reflect.Float64:
		return floatDecoder(t, false), nil
	case reflect.String:
		return decodeString, nil
	case reflect.Struct:
		return c.structDecoder(t)
	case reflect.Slice:
		return c.sliceDecoder(t)
	case reflect.Array:
		return c.arrayDecoder(t)
	case reflect.Map:
		return c.mapDecoder(t)
	case reflect.Pointer:
		return c.pointerDecoder(t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return decodeAny, nil
		}
	}
	return nil, fmt.Errorf("a %s cannot be decoded", t)
}

// decodesItself reports whether msgpack/v5 would call a method of *t.
func decodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false // what it points to is asked instead
	}
	p := reflect.PointerTo(t)
	return p.Implements(customType) || p.Implements(unmarshalerType) ||
		p.Implements(binaryType) || p.Implements(textType)
}

func (c *compiler) sliceDecoder(t reflect.Type) (decodeFunc, error) {
	elem := t.Elem()
	if elem.Kind() == reflect.Uint8 { // even if elem has methods: so msgpack/v5 writes it
		return decodeBytes, nil
	}
	each, err := c.compile(elem)
	if err != nil {
		return nil, err
	}
	size := elem.Size()
	return func(s *decodeState, p unsafe.Pointer) error {
		if s.r.Nil() {
			return nil
		}
		n, err := s.r.Array()
		if err != nil {
			return err
		}
		v := reflect.NewAt(t, p).Elem()
		if n == 0 {
			v.Set(reflect.MakeSlice(t, 0, 0)) // empty, not nil
			return nil
		}
		v.Grow(n)
		v.SetLen(n)
		return decodeElements(s, v.UnsafePointer(), n, size, each)
	}, nil
}

func (c *compiler) arrayDecoder(t reflect.Type) (decodeFunc, error) {
	elem, length := t.Elem(), t.Len()
	each, err := c.compile(elem)
	if err != nil {
		return nil, err
	}
	isBytes, size := elem.Kind() == reflect.Uint8, elem.Size()
	return func(s *decodeState, p unsafe.Pointer) error {
		if isBytes && s.r.p < len(s.r.b) && kindOf(s.r.b[s.r.p]) == "binary" {
			b, err := s.r.Bin()
			if err != nil {
				return err
			}
			if len(b) != length {
				return Errorf(BadPayload, "%d bytes where %d are wanted", len(b), length)
			}
			copy(unsafe.Slice((*byte)(p), length), b)
			return nil
		}
		n, err := s.r.Array()
		if err != nil {
			return err
		}
		if n != length {
			return Errorf(BadPayload, "%d values where %d are wanted", n, length)
		}
		return decodeElements(s, p, n, size, each)
	}, nil
}

func decodeElements(s *decodeState, p unsafe.Pointer, n int, size uintptr, each decodeFunc) error {
	for i := range n {
		if err := each(s, unsafe.Add(p, uintptr(i)*size)); err != nil {
			return inField(err, atIndex(i))
		}
	}
	return nil
}

func (c *compiler) mapDecoder(t reflect.Type) (decodeFunc, error) {
	switch t.Key().Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		return nil, fmt.Errorf("a map's keys are strings or integers, not %s", t.Key())
	}
	key, err := c.compile(t.Key())
	if err != nil {
		return nil, err
	}
	value, err := c.compile(t.Elem())
	if err != nil {
		return nil, err
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if s.r.Nil() {
			return nil
		}
		n, err := s.r.Map()
		if err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(t, n)
		k, v := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for range n {
			if s.r.p < len(s.r.b) && !isKey(s.r.b[s.r.p]) {
				return errMapKey // a whole float would fit an integer, but is no key
			}
			k.SetZero()
			if err := key(s, k.Addr().UnsafePointer()); err != nil {
				return inKey(err, "a key")
			}
			if m.MapIndex(k).IsValid() {
				return Errorf(BadPayload, "key %s comes twice", keyText(k))
			}
			v.SetZero()
			if err := value(s, v.Addr().UnsafePointer()); err != nil {
				return inField(err, "["+keyText(k)+"]")
			}
			m.SetMapIndex(k, v)
		}
		reflect.NewAt(t, p).Elem().Set(m)
		return nil
	}, nil
}

func keyText(k reflect.Value) string {
	if k.Kind() == reflect.String {
		return quote(k.String())
	}
	return fmt.Sprint(k)
}

func (c *compiler) pointerDecoder(t reflect.Type) (decodeFunc, error) {
	for at := t.Elem(); at.Kind() == reflect.Pointer; at = at.Elem() {
		if at == t {
			return nil, fmt.Errorf("a %s points to nothing but itself", t)
		}
	}
	to, err := c.compile(t.Elem())
	if err != nil {
		return nil, err
	}
	return func(s *decodeState, p unsafe.Pointer) error {
		if s.r.Nil() {
			return nil
		}
		v := reflect.New(t.Elem())
		if err := to(s, v.UnsafePointer()); err != nil {
			return err
		}
		reflect.NewAt(t, p).Elem().Set(v)
		return nil
	}, nil
}
