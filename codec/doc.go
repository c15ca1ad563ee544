// Package codec is Volley's wire: frames, packets, payloads and their limits, as pure functions over byte slices. It does no
// I/O, keeps no time and starts no goroutine. docs/protocol.md describes the same bytes for writers of clients.
//
// # A frame
//
// A frame is one msgpack array whose first element is its [FrameType]. Builders append to a slice that the caller owns:
//
//	frame := codec.AppendJoin(buf[:0], 0, codec.JoinOrCreate, "pong", nil)
//
// Parsing begins with a [Reader], which checks every byte before anything is decoded: each declared length must fit in
// the bytes that remain, nesting and the number of values stay under [Limits], strings are UTF-8, map keys are strings or
// integers. It never recurses, and nothing is allocated for a length that has only been declared.
//
//	r := codec.NewReader(frame, codec.ClientLimits)
//	kind, n, err := r.Frame()                        // n elements come after the type
//	if err == nil && kind == codec.FrameVolley {
//		volley, err := r.ClientVolley(n)             // channel, sequence number, tick
//		packets, err = r.Packets(n, packets[:0])     // events, requests, replies
//	}
//
// # Payloads
//
// A payload is the user's own Go type. Values are written by msgpack/v5, through an [Encoder] that its owner keeps and
// reuses. They are read by a [Decoder] that was compiled once for the type, because a peer's numbers need more care than
// msgpack/v5 takes: JavaScript sends 2.0 as an integer and 0.5 as a float64, whatever the field's type; here a number is
// matched by its value, and one that does not fit is an error that names the field, never a silent wrap. A type
// with its own msgpack.CustomDecoder (or Unmarshaler) is handed to msgpack/v5 after the check of its bytes: there the
// method itself decides which numbers it takes.
//
// # Ownership
//
// A Reader and what it returns alias the frame that it was given. An Encoder belongs to one goroutine at a time. A
// Decoder is immutable and may be shared. Limits are values.
package codec
