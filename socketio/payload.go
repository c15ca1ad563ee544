package socketio

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// separator stands between the packets in a body of long-polling. No packet has it: JSON escapes it.
const separator = 0x1e

var (
	errPayloadUTF8  = &codec.Error{Code: codec.Malformed, Reason: "a body of long-polling is not UTF-8"}
	errPayloadCount = &codec.Error{Code: codec.TooComplex, Reason: "too many packets in a body of long-polling"}
	errNoPacket     = &codec.Error{Code: codec.Malformed, Reason: "an empty Engine.IO packet"}
	errPacketDigit  = &codec.Error{Code: codec.Malformed, Reason: "an Engine.IO packet begins with its type, 0 to 6, or with b"}
	errBase64       = &codec.Error{Code: codec.Malformed, Reason: "a binary Engine.IO packet is not base64"}
)

// appendPayload appends an Engine.IO packet to a body of long-polling. A text begins with the digit of its type.
func appendPayload(body, packet []byte, text bool) []byte {
	if len(body) > 0 {
		body = append(body, separator)
	}
	if text {
		return append(body, packet...)
	}
	return base64.StdEncoding.AppendEncode(append(body, 'b'), packet)
}

// splitPayload calls fn with each packet of a body of long-polling, until it returns an error: texts with the digit of their
// type, and what is binary as it was before it became base64. A packet is only valid during the call.
func splitPayload(body []byte, maxPackets int, fn func(binary bool, packet []byte) error) error {
	if bytes.Count(body, []byte{separator}) >= maxPackets {
		return errPayloadCount
	}
	if !utf8.Valid(body) {
		return errPayloadUTF8
	}
	var scratch []byte
	for more := true; more; {
		var packet []byte
		packet, body, more = bytes.Cut(body, []byte{separator})
		if len(packet) == 0 {
			return errNoPacket
		}
		isBinary := packet[0] == 'b'
		if isBinary {
			var err error
			packet = bytes.TrimRight(packet[1:], "=")
			if scratch, err = base64.RawStdEncoding.AppendDecode(scratch[:0], packet); err != nil {
				return errBase64
			}
			packet = scratch
		} else if packet[0] < '0' || packet[0] > '6' {
			return errPacketDigit
		}
		if err := fn(isBinary, packet); err != nil {
			return err
		}
	}
	return nil
}
