package codec

import (
	"fmt"
	"math"
	"time"
	"unsafe"
)

// any reads the next value into the Go type that suits it. It recurses as deep as the value nests, which the first look
// at the whole value bounds to MaxDepth.
func (s *decodeState) any() (any, error) {
	ahead := s.r
	b, err := ahead.Value()
	if err != nil {
		return nil, err
	}
	return s.anyIn(b)
}

func (s *decodeState) anyIn(b []byte) (any, error) {
	switch c := b[0]; kindOf(c) {
	case "nil":
		s.r.Nil()
		return nil, nil
	case "a boolean":
		return s.r.Bool()
	case "a number":
		n, err := s.r.Number()
		if err == nil && n.kind == float && (math.IsNaN(n.Float64()) || math.IsInf(n.Float64(), 0)) {
			return nil, Errorf(BadPayload, "%s is not a finite number", n)
		}
		return n.Value(), err
	case "a string":
		str, err := s.r.Str()
		return string(str), err
	case "binary":
		bin, err := s.r.Bin()
		return append([]byte{}, bin...), err
	case "an array":
		return s.anyArray()
	case "a map":
		return s.anyMap()
	}
	var t time.Time
	err := decodeTime(s, unsafe.Pointer(&t))
	return t, err
}

func (s *decodeState) anyArray() (any, error) {
	n, err := s.r.Array()
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = s.anyIn(s.r.Rest()); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *decodeState) anyMap() (any, error) {
	n, err := s.r.Map()
	if err != nil {
		return nil, err
	}
	byName := make(map[string]any, n)
	var byKey map[any]any // once an integer key has come
	for range n {
		key, err := s.anyIn(s.r.Rest())
		if err != nil {
			return nil, err
		}
		name, isName := key.(string)
		if !isName && byKey == nil {
			byKey = make(map[any]any, n)
			for k, v := range byName {
				byKey[k] = v
			}
		}
		_, twice := byName[name]
		if byKey != nil {
			_, twice = byKey[key]
		}
		if twice {
			return nil, Errorf(BadPayload, "key %s comes twice", anyKeyText(key))
		}
		value, err := s.anyIn(s.r.Rest())
		if err != nil {
			return nil, err
		}
		if byKey != nil {
			byKey[key] = value
		} else {
			byName[name] = value
		}
	}
	if byKey != nil {
		return byKey, nil
	}
	return byName, nil
}

func anyKeyText(key any) string {
	if name, ok := key.(string); ok {
		return quote(name)
	}
	return fmt.Sprint(key)
}
