package socketio

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/volley-go/volley/codec"
)

// decoder reads the packets of one session in the format of the default parser:
//
//	type [attachments "-"] ["/" namespace ","] [id] [JSON]
//
// The zero value is ready. After an error nothing more is to be read.
type decoder struct {
	nsp  string   // the last namespace, to be had again without allocating
	wait *partial // a packet whose attachments are awaited; nil: none
}

// partial is a packet until its attachments have come.
type partial struct {
	packet packet     // data has a nil in each hole
	holes  []jsonHole // one for each attachment
	got    [][]byte
	size   int // bytes so far, of text and attachments

	// Where the lists begin: most packets have one attachment.
	hole  [1]jsonHole
	first [1][]byte
}

var (
	errAttachment  = &codec.Error{Code: codec.Malformed, Reason: "an attachment where none is awaited"}
	errTextInside  = &codec.Error{Code: codec.Malformed, Reason: "a text where an attachment is awaited"}
	errCount       = &codec.Error{Code: codec.Malformed, Reason: "a binary packet without the number of its attachments"}
	errAttachments = &codec.Error{Code: codec.TooComplex, Reason: "too many attachments"}
	errUnused      = &codec.Error{Code: codec.Malformed, Reason: "each attachment is to have one placeholder"}
	errNoPayload   = &codec.Error{Code: codec.Malformed, Reason: "a packet without a payload"}
)

// text reads a packet from its text. ok is false if attachments are to follow.
func (d *decoder) text(s []byte, l *packetLimits) (p packet, ok bool, err error) {
	switch {
	case d.wait != nil:
		return packet{}, false, errTextInside
	case len(s) > l.Bytes:
		return packet{}, false, errPacketBytes
	case !utf8.Valid(s):
		return packet{}, false, errPacketUTF8
	}
	p, rest, attachments, err := d.head(s, l.Attachments)
	if err != nil {
		return packet{}, false, err
	}
	if len(rest) == 0 {
		if p.kind == eventPacket || p.kind == ackPacket || p.kind == connectErrorPacket {
			return packet{}, false, errNoPayload
		}
		return p, true, nil
	}
	t := newJSONReader()
	defer t.release()
	if err := t.read(rest, l.Limits, attachments); err != nil {
		return packet{}, false, err
	}
	p.data = t.out
	if err := p.check(); err != nil {
		return packet{}, false, err
	}
	p.data = bytes.Clone(p.data)
	if attachments <= 0 {
		return p, true, nil
	}
	if !eachOnce(t.holes, attachments) {
		return packet{}, false, errUnused
	}
	d.wait = &partial{packet: p, size: len(s)}
	d.wait.holes, d.wait.got = append(d.wait.hole[:0], t.holes...), d.wait.first[:0]
	return packet{}, false, nil
}

// head reads what stands before the payload. attachments is how many follow; -1: it is no binary packet.
func (d *decoder) head(s []byte, most int) (p packet, rest []byte, attachments int, err error) {
	p, attachments = packet{nsp: "/", id: noID}, -1
	if len(s) == 0 || s[0] < '0' || s[0] > '0'+byte(binaryAck) {
		return p, nil, 0, errPacketType
	}
	p.kind = packetType(s[0] - '0')
	s = s[1:]
	if p.kind >= binaryEvent {
		p.kind -= binaryEvent - eventPacket
		n, size, ok := decimal(s, math.MaxInt32)
		if size == 0 || size == len(s) || s[size] != '-' {
			return p, nil, 0, errCount
		}
		if !ok || n > int64(most) {
			return p, nil, 0, errAttachments
		}
		attachments, s = int(n), s[size+1:]
	}
	if len(s) > 0 && s[0] == '/' {
		end := 0
		for end < len(s) && s[end] != ',' {
			end++
		}
		if p.nsp, err = namespaceOf(s[:end], d.nsp); err != nil {
			return p, nil, 0, err
		}
		d.nsp = p.nsp
		s = s[min(end+1, len(s)):]
	}
	id, size, ok := decimal(s, maxID)
	if !ok {
		return p, nil, 0, errID
	}
	if size > 0 {
		p.id = id
	}
	return p, s[size:], attachments, nil
}

// decimal reads the decimal number that s begins with, of size digits. It is not ok beyond most.
func decimal(s []byte, most int64) (n int64, size int, ok bool) {
	ok = true
	for ; size < len(s) && s[size]-'0' <= 9; size++ {
		if n = n*10 + int64(s[size]-'0'); n > most {
			n, ok = most, false
		}
	}
	return n, size, ok
}

// eachOnce reports whether there is one hole for each of n attachments, whose numbers are in range.
func eachOnce(holes []jsonHole, n int) bool {
	if len(holes) != n {
		return false
	}
	inOrder := true
	for i := range holes {
		inOrder = inOrder && holes[i].num == i
	}
	if inOrder {
		return true
	}
	seen := make([]bool, n)
	for _, h := range holes {
		if seen[h.num] {
			return false
		}
		seen[h.num] = true
	}
	return true
}

// binary reads the next attachment. ok is false if more are to follow.
func (d *decoder) binary(b []byte, l *packetLimits) (p packet, ok bool, err error) {
	w := d.wait
	if w == nil {
		return packet{}, false, errAttachment
	}
	if w.size += len(b); w.size > l.Bytes {
		d.wait = nil
		return packet{}, false, errPacketBytes
	}
	if len(w.got) < len(w.holes)-1 {
		w.got = append(w.got, append([]byte(nil), b...))
		return packet{}, false, nil
	}
	d.wait = nil
	w.got = append(w.got, b) // which join copies
	p = w.packet
	p.data = w.join()
	return p, true, nil
}

// join returns the packet's data with its attachments in their places.
func (w *partial) join() []byte {
	data, size := w.packet.data, len(w.packet.data)
	for _, b := range w.got {
		size += 5 + len(b)
	}
	out, from := make([]byte, 0, size), 0
	for _, h := range w.holes {
		out = codec.AppendBin(append(out, data[from:h.at]...), w.got[h.num])
		from = h.at + 1
	}
	return append(out, data[from:]...)
}

// appendText appends a packet in the format of the default parser. Its binary values are to be sent after it, each in a message
// of its own; they alias p.data. A CONNECT or a CONNECT_ERROR cannot have any: what is binary becomes base64 there.
func appendText(b []byte, p *packet) (text []byte, attachments [][]byte, err error) {
	start := len(b)
	b = append(b, '0'+byte(p.kind))
	if p.nsp != "/" && p.nsp != "" {
		b = append(append(b, p.nsp...), ',')
	}
	if p.id >= 0 {
		b = strconv.AppendInt(b, p.id, 10)
	}
	if len(p.data) == 0 {
		return b, nil, nil
	}
	w := jsonWriter{src: p.data, out: b, attach: p.kind == eventPacket || p.kind == ackPacket}
	if err := w.write(); err != nil {
		return b[:start], nil, err
	}
	b = w.out
	if n := len(w.attachments); n > 0 {
		b[start] += byte(binaryEvent - eventPacket)
		var count [20]byte
		insert := append(strconv.AppendInt(count[:0], int64(n), 10), '-')
		b = append(b, insert...)
		copy(b[start+1+len(insert):], b[start+1:])
		copy(b[start+1:], insert)
	}
	return b, w.attachments, nil
}
