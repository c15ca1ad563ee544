package netio

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/volley-go/volley/codec"
)

// Stats are an Engine's counters since New, and its gauges.
type Stats struct {
	Accepted     uint64 // sockets that the accept loops took, and requests that came in through ServeHTTP
	AcceptErrors uint64 // errors of the listeners
	Refused      uint64 // sockets closed at once: too many handshakes, too many connections of pages, or Shutdown
	Rejected     uint64 // handshakes that failed before there was a Conn: TLS, HTTP, origin, MaxConns, timeout
	Handshakes   int    // sockets that are in the handshake now, up to the end of Open
	Open         int    // connections now, from their transport's handshake to the end of their socket
	Opened       uint64 // connections that there have been

	// Closed counts ended connections by code; Lost are those whose peer went away without a word.
	Closed map[codec.Code]uint64
	Lost   uint64

	BytesIn     uint64 // off sockets that are connections, from the first frame on
	BytesOut    uint64 // frames with their headers, handed to Send
	MessagesIn  uint64 // frames given to sessions
	MessagesOut uint64 // frames handed to Send
	Pings       uint64 // PINGs sent
	Pongs       uint64 // PONGs that answered one
}

// counters are the hot counters of a shard of connections; the padding keeps shards out of each other's cache lines.
type counters struct {
	bytesIn, bytesOut, messagesIn, messagesOut, pings, pongs atomic.Uint64
	_                                                        [16]byte
}

// totals are the rare counters.
type totals struct {
	accepted, acceptErrors, refused, rejected, opened atomic.Uint64
	handshakes, pageConns, open                       atomic.Int64

	mu     sync.Mutex // guards the rest
	closed map[codec.Code]uint64
	lost   uint64
}

func (t *totals) countClose(reason error) {
	var e *codec.Error
	t.mu.Lock()
	if errors.As(reason, &e) {
		t.closed[e.Code]++
	} else {
		t.lost++
	}
	t.mu.Unlock()
}

// Stats returns the counters now.
func (e *Engine) Stats() Stats {
	t := &e.totals
	s := Stats{
		Accepted:     t.accepted.Load(),
		AcceptErrors: t.acceptErrors.Load(),
		Refused:      t.refused.Load(),
		Rejected:     t.rejected.Load(),
		Handshakes:   int(t.handshakes.Load()),
		Open:         int(t.open.Load()),
		Opened:       t.opened.Load(),
	}
	t.mu.Lock()
	s.Closed, s.Lost = maps.Clone(t.closed), t.lost
	t.mu.Unlock()
	for i := range e.counters {
		k := &e.counters[i]
		s.BytesIn += k.bytesIn.Load()
		s.BytesOut += k.bytesOut.Load()
		s.MessagesIn += k.messagesIn.Load()
		s.MessagesOut += k.messagesOut.Load()
		s.Pings += k.pings.Load()
		s.Pongs += k.pongs.Load()
	}
	return s
}
