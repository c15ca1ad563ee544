package codec

import "fmt"

// Code says why a connection was closed, a membership ended or a packet was dropped. It is a WebSocket close code: the
// standard ones below 3000, Volley's own from 4000 to 4999. The table is part of the wire; see docs/protocol.md.
type Code uint16

// Codes of closed connections, of dropped packets (UnknownEvent, TooManyRequests) and, from 4100, of memberships.
const (
	Normal            Code = 1000
	GoingAway         Code = 1001
	WebSocketProtocol Code = 1002
	TextMessage       Code = 1003
	TooBig            Code = 1009
	Internal          Code = 1011
	Overloaded        Code = 1013

	Malformed          Code = 4000
	UnsupportedVersion Code = 4001
	UnexpectedFrame    Code = 4002
	TooComplex         Code = 4003
	BadPayload         Code = 4004
	UnknownEvent       Code = 4005
	RateLimited        Code = 4006
	HandshakeTimeout   Code = 4007
	IdleTimeout        Code = 4008
	Unauthorized       Code = 4009
	SlowConsumer       Code = 4011
	InboxFull          Code = 4012
	Replaced           Code = 4013
	ResumeFailed       Code = 4014
	BadChannel         Code = 4015
	BadSequence        Code = 4016
	TooManyRequests    Code = 4017

	Left         Code = 4100
	RoomFull     Code = 4101
	RoomLocked   Code = 4102
	NoSuchRoom   Code = 4103
	NoSuchKind   Code = 4104
	JoinRefused  Code = 4105
	Kicked       Code = 4106
	RoomClosed   Code = 4107
	RoomFailed   Code = 4108
	TooManyRooms Code = 4109
)

// Reconnect is what a client should do after a close.
type Reconnect uint8

const (
	// Never: it would happen again.
	Never Reconnect = iota
	// Later: after BYE's delay, or with exponential back-off and full jitter.
	Later
	// Anew: at once, as a new session.
	Anew
)

type codeInfo struct {
	name      string
	reconnect Reconnect
}

var codes = map[Code]codeInfo{
	Normal:             {"normal", Never},
	GoingAway:          {"going-away", Later},
	WebSocketProtocol:  {"websocket-protocol", Never},
	TextMessage:        {"text-message", Never},
	TooBig:             {"too-big", Never},
	Internal:           {"internal", Later},
	Overloaded:         {"overloaded", Later},
	Malformed:          {"malformed", Never},
	UnsupportedVersion: {"unsupported-version", Never},
	UnexpectedFrame:    {"unexpected-frame", Never},
	TooComplex:         {"too-complex", Never},
	BadPayload:         {"bad-payload", Never},
	UnknownEvent:       {"unknown-event", Never},
	RateLimited:        {"rate-limited", Later},
	HandshakeTimeout:   {"handshake-timeout", Later},
	IdleTimeout:        {"idle-timeout", Anew},
	Unauthorized:       {"unauthorized", Never},
	SlowConsumer:       {"slow-consumer", Anew},
	InboxFull:          {"inbox-full", Later},
	Replaced:           {"replaced", Never},
	ResumeFailed:       {"resume-failed", Anew},
	BadChannel:         {"bad-channel", Never},
	BadSequence:        {"bad-sequence", Anew},
	TooManyRequests:    {"too-many-requests", Never},
	Left:               {"left", Never},
	RoomFull:           {"room-full", Never},
	RoomLocked:         {"room-locked", Never},
	NoSuchRoom:         {"no-such-room", Never},
	NoSuchKind:         {"no-such-kind", Never},
	JoinRefused:        {"join-refused", Never},
	Kicked:             {"kicked", Never},
	RoomClosed:         {"room-closed", Never},
	RoomFailed:         {"room-failed", Never},
	TooManyRooms:       {"too-many-rooms", Never},
}

// String returns the code's name in the table of docs/protocol.md, or its number.
func (c Code) String() string {
	if info, ok := codes[c]; ok {
		return info.name
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// Reconnect returns the table's rule for c; an unknown code from 4000 to 4099 is Never, any other one Later.
func (c Code) Reconnect() Reconnect {
	if info, ok := codes[c]; ok {
		return info.reconnect
	}
	if c >= 4000 && c < 4100 {
		return Never
	}
	return Later
}

// Error is a code with its reason: why a connection or a membership has to end. The reason is sent to the peer.
type Error struct {
	Code   Code
	Reason string
}

// Errorf returns an *Error with a formatted reason.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Reason == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Reason
}

// MaxReason is the longest reason that is sent, in bytes: what a WebSocket close frame can hold.
const MaxReason = 123
