package socketio

import (
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

var (
	errEventName = errors.New("socketio: an event's name is not UTF-8")
	errText      = errors.New("it is a string that is not UTF-8")
)

var encoders = sync.Pool{New: func() any { return codec.NewEncoder() }}

// appendEvent appends the data of an event: its name and its arguments. On an error b is returned as it was.
func appendEvent(b []byte, name string, args []any) ([]byte, error) {
	switch {
	case reserved(name):
		return b, fmt.Errorf("socketio: %q is an event of the sockets' own: choose another name", name)
	case !utf8.ValidString(name):
		return b, errEventName
	}
	out, err := appendArgs(codec.AppendStr(codec.AppendArray(b, 1+len(args)), name), args)
	if err != nil {
		return b, fmt.Errorf("socketio: event %q: %w", name, err)
	}
	return out, nil
}

// appendAck appends the data of an acknowledgement: its arguments. On an error b is returned as it was.
func appendAck(b []byte, args []any) ([]byte, error) {
	out, err := appendArgs(codec.AppendArray(b, len(args)), args)
	if err != nil {
		return b, fmt.Errorf("socketio: an acknowledgement: %w", err)
	}
	return out, nil
}

func appendArgs(b []byte, args []any) ([]byte, error) {
	for i, v := range args {
		var err error
		if b, err = appendArg(b, v); err != nil {
			return b, fmt.Errorf("argument %d of type %T: %w", i+1, v, err)
		}
	}
	return b, nil
}

// argumentLimits are ServerLimits for what stands in an array.
var argumentLimits = func() codec.Limits {
	l := codec.ServerLimits
	l.Depth--
	return l
}()

// appendArg appends one argument as one msgpack value that clients will accept.
func appendArg(b []byte, v any) ([]byte, error) {
	switch v := v.(type) { // the common ones, which need no encoder
	case nil:
		return codec.AppendNil(b), nil
	case bool:
		return codec.AppendBool(b, v), nil
	case int:
		return codec.AppendInt(b, int64(v)), nil
	case []byte:
		if v == nil {
			return codec.AppendNil(b), nil
		}
		return codec.AppendBin(b, v), nil
	case string:
		if !utf8.ValidString(v) {
			return b, errText
		}
		return codec.AppendStr(b, v), nil
	}
	start := len(b)
	e := encoders.Get().(*codec.Encoder)
	b, err := e.Append(b, v)
	encoders.Put(e) // not deferred: one in which a user's method has panicked is not used again
	if err == nil {
		err = codec.Scan(b[start:], argumentLimits)
	}
	return b, err
}

// arguments returns the values of checked data, which alias it, and the name that an event's begin with.
func arguments(data []byte, event bool) (name string, args [][]byte) {
	r := codec.NewReader(data, codec.ServerLimits)
	n, err := r.Array()
	if event && err == nil {
		n--
		var s []byte
		s, err = r.Str()
		name = string(s)
	}
	if err != nil || n <= 0 {
		return name, nil
	}
	args = make([][]byte, 0, n)
	for range n {
		v, err := r.Value()
		if err != nil {
			return name, nil
		}
		args = append(args, v)
	}
	return name, args
}
