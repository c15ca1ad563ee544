package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
)

// Codes of ends that no server has sent. RFC 6455 keeps them for this; they are never on the wire.
const (
	// NoCode: the server closed the WebSocket and did not say why.
	NoCode codec.Code = 1005
	// Lost: the connection broke without a word.
	Lost codec.Code = 1006
)

var (
	// ErrFull says that the server has too much to acknowledge, or that too much waits for the connection to come back; emit
	// less, or wait while Room.Seq runs ahead of Room.Ack.
	ErrFull = errors.New("client: too many unacknowledged packets")
	// ErrNotJoined says that the room is not joined yet, not any more, or is being joined again.
	ErrNotJoined = errors.New("client: not in the room")
	// ErrOffline says that there is no connection at the moment, or that it was lost during a Ping. The client comes back.
	ErrOffline = errors.New("client: the connection is lost and is being made again")
	// ErrReplyLost says that a request was processed, but this client was away for longer than the room remembers: the reply is
	// lost.
	ErrReplyLost = errors.New("client: the reply was lost while the connection was")
)

// CloseError is why a connection, and with the last one the client, ended. errors.As finds its *codec.Error.
type CloseError struct {
	// Code and Reason are the server's or, for what went wrong on this side, the client's. Normal: Close was called.
	// Code.Reconnect says whether to come back.
	Code   codec.Code
	Reason string
	// Delay is how long the server asks to wait before coming back.
	Delay time.Duration
	// Address is where the server asks to come back to; empty: the same place.
	Address string
	// Remote says that the server closed the connection, with this code.
	Remote bool
	// Cause is what the network said, if it was that.
	Cause error
}

func (e *CloseError) Error() string {
	who := "client: connection closed: "
	if e.Remote {
		who = "client: closed by the server: "
	}
	return who + describe(e.Code, e.Reason)
}

// Unwrap returns the *codec.Error and the cause.
func (e *CloseError) Unwrap() []error {
	errs := []error{&codec.Error{Code: e.Code, Reason: e.Reason}}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

// LeftError is why a membership ended, or a join was refused. errors.As finds its *codec.Error; errors.Is also ErrNotJoined.
type LeftError struct {
	Code   codec.Code
	Reason string
}

func (e *LeftError) Error() string { return "client: not in the room: " + describe(e.Code, e.Reason) }

// Unwrap returns the *codec.Error and ErrNotJoined.
func (e *LeftError) Unwrap() []error {
	return []error{&codec.Error{Code: e.Code, Reason: e.Reason}, ErrNotJoined}
}

// RemoteError is the room's own word on why it does not reply to a request.
type RemoteError string

func (e RemoteError) Error() string { return "the room says: " + string(e) }

// UpgradeError is a server's answer that is no WebSocket upgrade.
type UpgradeError struct {
	Status int    // of HTTP
	Text   string // the beginning of the answer's body
}

func (e *UpgradeError) Error() string {
	return fmt.Sprintf("the server answered %d instead of the WebSocket upgrade: %s", e.Status, e.Text)
}

func describe(code codec.Code, reason string) string {
	name := code.String()
	switch code {
	case NoCode:
		name = "no code"
	case Lost:
		name = "connection lost"
	}
	if reason == "" {
		return fmt.Sprintf("%d %s", code, name)
	}
	return fmt.Sprintf("%d %s: %s", code, name, reason)
}

// fault is the end of a connection whose server broke the protocol, or of which err is another *codec.Error.
func fault(err error) *CloseError {
	var e *codec.Error
	if errors.As(err, &e) {
		return &CloseError{Code: e.Code, Reason: e.Reason}
	}
	return &CloseError{Code: codec.Malformed, Reason: err.Error()}
}

// lost is the end of a connection that the network ended.
func lost(err error) *CloseError {
	return &CloseError{Code: Lost, Reason: err.Error(), Cause: err}
}
