package netio

import "encoding/binary"

// tcpReader takes a TCP stream apart: a 4-byte big-endian length, then that many bytes. Like wsReader it is a state machine
// over bytes, lends whole frames where they lie and copies only what is incomplete. The zero tcpReader is ready.
type tcpReader struct {
	buf       *[]byte // of the pool: the current frame as far as it came; nil: nothing of it has come
	length    int32   // the current frame's
	inPayload bool    // length is known
	lent      bool    // buf went out with the last event
	headerLen uint8
	header    [4]byte // of which headerLen bytes have come
}

// next is wsReader.next for TCP: its events are evMore and evMessage.
func (r *tcpReader) next(in []byte, pool *bufPool, limit int) (ev event, p, rest []byte, err error) {
	if r.lent {
		pool.Free(r.buf)
		r.buf, r.lent = nil, false
	}
	if !r.inPayload {
		if in, err = r.readHeader(in, limit); err != nil || !r.inPayload {
			return evMore, nil, nil, err
		}
	}
	want := int(r.length)
	if r.buf == nil && len(in) >= want {
		r.inPayload, r.headerLen = false, 0
		return evMessage, in[:want:want], in[want:], nil
	}
	have := 0
	if r.buf != nil {
		have = len(*r.buf)
	}
	n := min(want-have, len(in))
	if n > 0 {
		r.buf = pool.Append(r.buf, in[:n]...)
	}
	if have+n < want {
		return evMore, nil, nil, nil
	}
	r.inPayload, r.headerLen, r.lent = false, 0, true
	return evMessage, *r.buf, in[n:], nil
}

func (r *tcpReader) readHeader(in []byte, limit int) ([]byte, error) {
	h := in
	if r.headerLen == 0 && len(in) >= len(r.header) {
		in = in[len(r.header):]
	} else {
		n := copy(r.header[r.headerLen:], in)
		r.headerLen += uint8(n)
		in = in[n:]
		if int(r.headerLen) < len(r.header) {
			return nil, nil
		}
		h = r.header[:]
	}
	length := binary.BigEndian.Uint32(h)
	if length == 0 {
		return nil, errEmptyMessage
	}
	if uint64(length) > uint64(limit) {
		return nil, errTooBig
	}
	r.length, r.inPayload = int32(length), true
	return in, nil
}

// release gives the reader's memory back.
func (r *tcpReader) release(pool *bufPool) {
	pool.Free(r.buf)
	*r = tcpReader{}
}
