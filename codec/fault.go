package codec

import (
	"strconv"
	"strings"
)

// fieldError is a payload that does not fit, and where in it: "Players[3].X".
type fieldError struct {
	path   string
	reason string
}

func (e *fieldError) Error() string { return e.path + ": " + e.reason }

// inField puts the name of a field, an index or a key in front of the place that err names.
func inField(err error, name string) error {
	switch e := err.(type) {
	case *fieldError:
		if !strings.HasPrefix(e.path, "[") {
			name += "."
		}
		return &fieldError{name + e.path, e.reason}
	case *Error:
		if e.Code != BadPayload {
			return e
		}
		return &fieldError{name, e.Reason}
	}
	return &fieldError{name, err.Error()} // of a user's own decoding method
}

// inKey says that err is about a key, which has no place of its own.
func inKey(err error, what string) error {
	e := asBadPayload(err)
	if e.Code != BadPayload {
		return e
	}
	return &Error{BadPayload, what + ": " + e.Reason}
}

// asBadPayload makes an *Error of whatever a decodeFunc has returned.
func asBadPayload(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{BadPayload, err.Error()}
}

func atIndex(i int) string { return "[" + strconv.Itoa(i) + "]" }

// quote shows a key that a peer has chosen, which may be long.
func quote(key string) string {
	const enough = 32
	if len(key) > enough {
		return strconv.Quote(cutValid(key[:enough])) + "…"
	}
	return strconv.Quote(key)
}
