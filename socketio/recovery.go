package socketio

import (
	"strconv"
	"strings"
	"sync"

	"github.com/volley-go/volley/codec"
)

// recovery are the sockets that may come back, by the secret that they were given. Safe for concurrent use.
type recovery struct {
	limit int // of sockets that are waited for

	mu    sync.Mutex
	byPID map[string]*member   // guarded by mu
	lost  map[*member]struct{} // those without a session; guarded by mu
}

func (t *recovery) add(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPID == nil {
		t.byPID, t.lost = map[string]*member{}, map[*member]struct{}{}
	}
	t.byPID[m.pid] = m
}

// lose notes that a socket is waited for; false: too many are.
func (t *recovery) lose(m *member) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lost) >= t.limit || t.byPID[m.pid] != m {
		return false
	}
	t.lost[m] = struct{}{}
	return true
}

// find returns the socket of the namespace with that secret, which is no longer waited for; nil: there is none.
func (t *recovery) find(pid, nsp string) *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.byPID[pid]
	if m == nil || m.nsp != nsp {
		return nil
	}
	delete(t.lost, m)
	return m
}

func (t *recovery) remove(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.pid != "" && t.byPID[m.pid] == m {
		delete(t.byPID, m.pid)
		delete(t.lost, m)
	}
}

func (t *recovery) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lost)
}

// claim is what a client that comes back gives as auth.
type claim struct {
	PID    string  `msgpack:"pid"`
	Offset *string `msgpack:"offset"` // nil: nothing came yet
}

// comeBack has a socket go on over this session, if the client's auth says so and it can.
func (s *session) comeBack(nsp string, auth []byte) bool {
	var c claim
	if len(auth) == 0 || codec.Into(auth, &c) != nil || c.PID == "" {
		return false
	}
	var tick uint64
	var skip int
	if c.Offset != nil {
		var ok bool
		if tick, skip, ok = readOffset(*c.Offset); !ok {
			return false
		}
	}
	m := s.srv.away.find(c.PID, nsp)
	if m == nil {
		return false
	}
	m.mu.Lock()
	if m.state != live || m.client == nil {
		m.mu.Unlock()
		return false
	}
	if tick < m.since { // its client still has the offset of a socket before
		tick, skip = m.since, 0
	}
	old := m.ses
	m.ses, m.state, m.auth, m.why = s, resuming, auth, ""
	m.back = progress{last: tick, skip: skip, again: true}
	m.mu.Unlock()
	if old != nil {
		old.remove(m)
		old.end(reasonClose) // its client is here now
	}
	if !s.place(m) {
		m.lost(s, reasonClose)
		return true
	}
	m.client.Resume(m, codec.Processed{Tick: tick})
	return true
}

// An offset says how far a client is: "tick", all of that tick's frame, or "tick.n", and n events of what came after it.

func appendOffset(b []byte, tick uint64, n int) []byte {
	b = strconv.AppendUint(b, tick, 36)
	if n > 0 {
		b = strconv.AppendInt(append(b, '.'), int64(n), 36)
	}
	return b
}

func readOffset(s string) (tick uint64, n int, ok bool) {
	t, rest, more := strings.Cut(s, ".")
	tick, err := strconv.ParseUint(t, 36, 53)
	if err != nil {
		return 0, 0, s == "" // nothing came yet
	}
	if !more {
		return tick, 0, true
	}
	k, err := strconv.ParseUint(rest, 36, 31)
	return tick, int(k), err == nil
}
