package socketio

import (
	"bytes"
	"encoding/binary"

	"github.com/volley-go/volley/codec"
)

// A message of socket.io-msgpack-parser is a map: {type, nsp, data?, id?}, and what does not concern us. It is written by
// notepack.io 2, which has extensions of its own, all of type 0:
//
//	d4 00 00           undefined
//	d7 00 int64        a Date, in milliseconds since 1970
//	c7|c8|c9 n 00 ...  an ArrayBuffer
//
// Clients read the standard's nil and binary as well, but not its timestamps.

var (
	errPackedType = &codec.Error{Code: codec.Malformed, Reason: "a packet's type is a whole number from 0 to 4"}
	errPackedNsp  = &codec.Error{Code: codec.Malformed, Reason: "a packet without a namespace"}
)

// readPacked reads the packet that a message of the msgpack parser holds.
func readPacked(b []byte, l *packetLimits) (packet, error) {
	if len(b) > l.Bytes {
		return packet{}, errPacketBytes
	}
	p, err := readMap(b, l.Limits)
	if err != nil {
		plain, changed := fromNotepack(b)
		if !changed {
			return packet{}, malformed(err)
		}
		if p, err = readMap(plain, l.Limits); err != nil {
			return packet{}, malformed(err)
		}
	}
	if err := p.check(); err != nil {
		return packet{}, err
	}
	p.data = bytes.Clone(p.data)
	return p, nil
}

// malformed is err with the code that the end of a connection has.
func malformed(err error) error {
	if e, ok := err.(*codec.Error); ok && e.Code == codec.BadPayload {
		return &codec.Error{Code: codec.Malformed, Reason: e.Reason}
	}
	return err
}

// readMap reads a packet. Its data aliases b and is not yet what its type wants.
func readMap(b []byte, limits codec.Limits) (packet, error) {
	p := packet{kind: binaryAck, id: noID}
	r := codec.NewReader(b, limits)
	n, err := r.Map()
	if err != nil {
		return p, err
	}
	for range n {
		key, err := r.Str()
		if err != nil {
			return p, err
		}
		switch string(key) {
		case "type":
			err = p.readType(&r)
		case "nsp":
			err = p.readNamespace(&r)
		case "id":
			err = p.readID(&r)
		case "data":
			p.data, err = r.Value()
		default:
			_, err = r.Value()
		}
		if err != nil {
			return p, err
		}
	}
	switch {
	case p.kind == binaryAck:
		return p, errPackedType
	case p.nsp == "":
		return p, errPackedNsp
	}
	return p, r.Done()
}

func (p *packet) readType(r *codec.Reader) error {
	u, err := r.Uint()
	if err != nil || u > uint64(connectErrorPacket) {
		return errPackedType
	}
	p.kind = packetType(u)
	return nil
}

func (p *packet) readNamespace(r *codec.Reader) error {
	name, err := r.Str()
	if err == nil {
		p.nsp, err = namespaceOf(name, "/")
	}
	return err
}

func (p *packet) readID(r *codec.Reader) error {
	if r.Nil() {
		return nil
	}
	u, err := r.Uint()
	if err != nil || u > maxID {
		return errID
	}
	p.id = int64(u)
	return nil
}

// fromNotepack returns b with the extensions of notepack.io replaced by what the standard has for them. It does not check b
// beyond that. Not changed: there are none, or b is cut off.
func fromNotepack(b []byte) (plain []byte, changed bool) {
	plain = make([]byte, 0, len(b)+len(b)/2)
	for len(b) > 0 {
		n := token(b)
		if n == 0 {
			return nil, false
		}
		t := b[:n]
		b = b[n:]
		was := changed
		changed = true
		switch {
		case n == 3 && t[0] == 0xd4 && t[1] == 0:
			plain = append(plain, msgpackNil)
		case n == 10 && t[0] == 0xd7 && t[1] == 0:
			sec, ms := floorDiv(int64(binary.BigEndian.Uint64(t[2:])), 1000)
			plain = appendTimestamp(plain, sec, ms*1_000_000)
		case t[0] == 0xc7 && t[2] == 0:
			plain = codec.AppendBin(plain, t[3:])
		case t[0] == 0xc8 && t[3] == 0:
			plain = codec.AppendBin(plain, t[4:])
		case t[0] == 0xc9 && t[5] == 0:
			plain = codec.AppendBin(plain, t[6:])
		default:
			plain = append(plain, t...)
			changed = was
		}
	}
	return plain, changed
}

// floorDiv returns a/b, rounded down, and what is left, which is not negative.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient, rest = quotient-1, rest+b
	}
	return quotient, rest
}

// appendPacked appends a packet as a message of the msgpack parser.
func appendPacked(b []byte, p *packet) []byte {
	n := 2
	if p.id >= 0 {
		n++
	}
	if len(p.data) > 0 {
		n++
	}
	b = append(codec.AppendStr(codec.AppendMap(b, n), "type"), byte(p.kind))
	b = codec.AppendStr(codec.AppendStr(b, "nsp"), p.nsp)
	if p.id >= 0 {
		b = codec.AppendInt(codec.AppendStr(b, "id"), p.id)
	}
	if len(p.data) > 0 {
		b = appendNotepack(codec.AppendStr(b, "data"), p.data)
	}
	return b
}

// appendNotepack appends a checked msgpack value with its timestamps as the dates of notepack.io.
func appendNotepack(b, data []byte) []byte {
	if !mayHaveTimestamp(data) {
		return append(b, data...)
	}
	for len(data) > 0 {
		n := token(data)
		if n == 0 {
			return append(b, data...) // it was not checked
		}
		t := data[:n]
		data = data[n:]
		if _, _, is := timestamp(t); !is {
			b = append(b, t...)
		} else if ms, ok := unixMillis(t); ok {
			b = binary.BigEndian.AppendUint64(append(b, 0xd7, 0), uint64(ms))
		} else {
			b = append(b, msgpackNil)
		}
	}
	return b
}

// mayHaveTimestamp looks for bytes that a timestamp begins with. They can be part of something else.
func mayHaveTimestamp(data []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(data[i:], 0xff)
		if n < 0 {
			return false
		}
		i += n
		if i >= 1 && (data[i-1] == 0xd6 || data[i-1] == 0xd7) || i >= 2 && data[i-1] == 12 && data[i-2] == 0xc7 {
			return true
		}
	}
}
