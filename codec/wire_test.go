package codec

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// frame is any frame, read completely.
type frame struct {
	Type     FrameType
	Hello    Hello
	Welcome  Welcome
	Join     JoinRequest
	Joined   Joined
	Channel  uint32 // LEAVE, RESUMED, RESYNC
	Number   uint64 // RESUMED, RESYNC
	Bye      *Error // a client's
	Reasoned Reasoned
	Stamp    uint64
	First    int
	Names    []string
	Volley   Volley
	Server   ServerVolley
	Packets  []Packet
}

// readClientFrame reads a frame from a client as a server does: every byte, and only the types that a client may send.
func readClientFrame(b []byte, limits Limits) (f frame, err error) {
	r := NewReader(b, limits)
	t, n, err := r.Frame()
	if err != nil {
		return f, err
	}
	f.Type = t
	switch t {
	case FrameVolley:
		if f.Volley, err = r.ClientVolley(n); err == nil {
			f.Packets, err = r.Packets(n, nil)
		}
	case FrameHello:
		f.Hello, err = r.Hello(n)
	case FrameJoin:
		f.Join, err = r.Join(n)
	case FrameLeave:
		f.Channel, err = r.Leave(n)
	case FramePing, FramePong:
		f.Stamp, err = r.Stamp(n)
	case FrameBye:
		f.Bye, err = r.ClientBye(n)
	default:
		err = Errorf(UnexpectedFrame, "frame type %d from a client", t)
	}
	if err == nil && r.Done() != nil {
		panic("a frame was read, and bytes are left")
	}
	return f, err
}

// readServerFrame reads a frame from a server as a client does.
func readServerFrame(b []byte) (f frame, err error) {
	r := NewReader(b, ServerLimits)
	t, n, err := r.Frame()
	if err != nil {
		return f, err
	}
	f.Type = t
	switch t {
	case FrameVolley:
		if f.Server, err = r.ServerVolley(n); err == nil {
			f.Packets, err = r.Packets(n, nil)
		}
	case FrameWelcome:
		f.Welcome, err = r.Welcome(n)
	case FrameJoined:
		f.Joined, err = r.Joined(n)
	case FrameLeft, FrameNotice, FrameBye:
		f.Reasoned, err = r.Reasoned(t, n)
	case FramePing, FramePong:
		f.Stamp, err = r.Stamp(n)
	case FrameNames:
		f.First, f.Names, err = r.Names(n)
	case FrameResumed:
		f.Channel, f.Number, err = r.Resumed(n)
	case FrameResync:
		f.Channel, f.Number, err = r.Resync(n)
	default:
		err = Errorf(UnexpectedFrame, "frame type %d from a server", t)
	}
	return f, err
}

// unhex returns the bytes of hex digits, between which spaces may stand.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// codeOf returns the code of an error, 0 for nil; any other error than *Error fails the test.
func codeOf(t testing.TB, err error) Code {
	t.Helper()
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T instead of *Error: %v", err, err)
	}
	return e.Code
}

// wantCode fails the test unless err has the code; 0 means no error.
func wantCode(t testing.TB, err error, want Code) {
	t.Helper()
	if got := codeOf(t, err); got != want {
		t.Errorf("code %d (%v), want %d", got, err, want)
	}
}
