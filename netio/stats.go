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
	Refused      uint64 // sockets closed before anything was read: open files, MaxHandshakes, their address's limits, or Shutdown
	Rejected     uint64 // handshakes that failed before there was a Conn: TLS, HTTP, origin, MaxConns, address, timeout
	Full         uint64 // of Refused and Rejected: MaxConns, MaxHandshakes, open files
	Crowded      uint64 // of Refused and Rejected: ConnsPerAddress
	Hasty        uint64 // of Refused and Rejected: HandshakesPerSecondPerAddress
	Handshakes   int    // sockets that are in the handshake now, up to the end of Open
	Open         int    // connections now, from their transport's handshake to the end of their socket
	Opened       uint64 // connections that there have been

	// Closed counts ended connections by code; Lost are those whose peer went away without a word.
	Closed map[codec.Code]uint64
	Lost   uint64

	Sockets  int    // now: handshakes, connections, and those of pages
	Buffered int    // bytes now: what no socket has taken, and frames that have come in part
	Relieved uint64 // of Closed[Overloaded]: MaxBuffered

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
	full, crowded, hasty                              atomic.Uint64
	handshakes, pageConns, open, sockets              atomic.Int64

	mu       sync.Mutex // guards the rest
	closed   map[codec.Code]uint64
	lost     uint64
	relieved uint64
}

func (t *totals) countClose(reason error) {
	var e *codec.Error
	t.mu.Lock()
	if errors.As(reason, &e) {
		t.closed[e.Code]++
		if e == errOverBudget {
			t.relieved++
		}
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
		Full:         t.full.Load(),
		Crowded:      t.crowded.Load(),
		Hasty:        t.hasty.Load(),
		Sockets:      int(t.sockets.Load()),
		Buffered:     int(e.budget.used.Load()),
		Open:         int(t.open.Load()),
		Opened:       t.opened.Load(),
	}
	t.mu.Lock()
	s.Closed, s.Lost, s.Relieved = maps.Clone(t.closed), t.lost, t.relieved
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
