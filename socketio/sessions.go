package socketio

import (
	"net/netip"
	"sync"
	"time"
)

// sessions are the sessions of a server, by id and counted by address. Safe for concurrent use.
type sessions struct {
	max, perAddress int // negative: no limit

	mu        sync.Mutex
	byID      map[string]*session // guarded by mu
	addresses map[netip.Addr]int  // guarded by mu
	closed    bool                // guarded by mu
}

func (t *sessions) init(cfg *Config) {
	t.max, t.perAddress = cfg.MaxSessions, cfg.SessionsPerAddress
	t.byID, t.addresses = map[string]*session{}, map[netip.Addr]int{}
}

// add gives a session its place; false: there is none.
func (t *sessions) add(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.max >= 0 && len(t.byID) >= t.max {
		return false
	}
	if s.addr.IsValid() && t.perAddress >= 0 {
		if t.addresses[s.addr] >= t.perAddress {
			return false
		}
		t.addresses[s.addr]++
	}
	t.byID[s.id] = s
	return true
}

// get returns the session with that id, or nil.
func (t *sessions) get(id string) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// remove forgets a session.
func (t *sessions) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[s.id] != s {
		return
	}
	delete(t.byID, s.id)
	if s.addr.IsValid() && t.perAddress >= 0 {
		if t.addresses[s.addr]--; t.addresses[s.addr] <= 0 {
			delete(t.addresses, s.addr)
		}
	}
}

// all returns the sessions, and takes no more: it is for the end.
func (t *sessions) all() []*session {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return t.now(nil)
}

// now appends the sessions at this moment to list.
func (t *sessions) now(list []*session) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byID {
		list = append(list, s)
	}
	return list
}

func (t *sessions) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// sweep pings sessions, and ends those that are silent.
func (s *Server) sweep() {
	defer s.sweeper.Done()
	round := min(max(min(s.cfg.PingInterval, s.cfg.PingTimeout, s.cfg.ConnectTimeout)/8, 10*time.Millisecond), time.Second)
	ticker := time.NewTicker(round)
	defer ticker.Stop()
	var list []*session
	for {
		select {
		case <-ticker.C:
		case <-s.done:
			return
		}
		list = s.sessions.now(list[:0])
		now := s.now()
		for i, ses := range list {
			if ses.swept(now) {
				s.sessions.remove(ses)
			}
			list[i] = nil
		}
	}
}
