package volley

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// A token is what resumes a session: its number, how often it has been resumed, and the server's signature under both. So nothing
// secret is kept for a session, and a token of another server, or of another life of this one, is no token.
const (
	tokenBody = 8 + 4 // bytes: the session's number, the turn
	tokenMAC  = 16    // bytes of HMAC-SHA256
)

// sessions are all that a client may come back to: those with a connection, which another one may take over, and those whose
// connection was lost, for a while. Safe for concurrent use.
//
// Locks: session.mu is taken before shardMu and before mu.
type sessions struct {
	// Static after construction.
	key   []byte
	grace time.Duration // how long one without a connection stays
	limit int           // how many of those there may be

	shards [64]sessionShard

	mu     sync.Mutex
	lost   list.List   // of *lostSession, the first to expire in front; guarded by mu
	timer  *time.Timer // runs while lost is not empty; guarded by mu
	closed bool        // guarded by mu

	resumed, takenOver, refused, expired, crowded atomic.Uint64
}

type sessionShard struct {
	mu   sync.Mutex
	byID map[uint64]*session // guarded by mu
	_    [40]byte            // shards stay out of each other's cache lines
}

// lostSession is a session that waits for its client.
type lostSession struct {
	s   *session
	end time.Time
}

func newSessions(grace time.Duration, limit int) *sessions {
	t := &sessions{key: make([]byte, sha256.Size), grace: grace, limit: limit}
	_, _ = rand.Read(t.key) // it never fails
	for i := range t.shards {
		t.shards[i].byID = map[uint64]*session{}
	}
	return t
}

// token returns the token that resumes session sid for the turn-th time.
func (t *sessions) token(sid uint64, turn uint32) string {
	b := make([]byte, tokenBody, tokenBody+sha256.Size)
	binary.BigEndian.PutUint64(b, sid)
	binary.BigEndian.PutUint32(b[8:], turn)
	return base64.RawURLEncoding.EncodeToString(t.sign(b)[:tokenBody+tokenMAC])
}

// sign appends the signature of a token's body to it.
func (t *sessions) sign(body []byte) []byte {
	h := hmac.New(sha256.New, t.key)
	_, _ = h.Write(body) // it never fails
	return h.Sum(body)
}

// read checks a token.
func (t *sessions) read(token string) (sid uint64, turn uint32, ok bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBody+tokenMAC) {
		return 0, 0, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != tokenBody+tokenMAC { // line ends are passed over in base64
		return 0, 0, false
	}
	want := t.sign(b[:tokenBody:tokenBody])[:tokenBody+tokenMAC]
	return binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), hmac.Equal(b, want)
}

// shard returns where a session is; its number is random.
func (t *sessions) shard(sid uint64) *sessionShard { return &t.shards[sid%uint64(len(t.shards))] }

// add gives a new session its number and its place.
func (t *sessions) add(s *session) {
	for {
		s.sid = newSessionID()
		if t.swap(s.sid, nil, s) {
			return
		}
	}
}

// get returns the session with that number; nil: there is none.
func (t *sessions) get(sid uint64) *session {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.byID[sid]
}

// swap puts another session, or nil for none, in the place of an old one, and reports whether that was there.
func (t *sessions) swap(sid uint64, old, s *session) bool {
	sh := t.shard(sid)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID[sid] != old {
		return false
	}
	if s == nil {
		delete(sh.byID, sid)
	} else {
		sh.byID[sid] = s
	}
	return true
}

// lose has a session, whose connection was lost, wait for its client. Nil: there are too many, or the server ends.
func (t *sessions) lose(s *session) *list.Element {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	if t.lost.Len() >= t.limit {
		t.crowded.Add(1)
		return nil
	}
	if t.lost.Len() == 0 {
		t.timer = time.AfterFunc(t.grace, t.expire)
	}
	return t.lost.PushBack(&lostSession{s: s, end: time.Now().Add(t.grace)})
}

// find ends the wait of a session whose client is back.
func (t *sessions) find(e *list.Element) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost.Remove(e) // nothing, if expire was faster
	if t.lost.Len() == 0 && t.timer != nil {
		t.timer.Stop()
	}
}

// expire forgets the sessions whose clients did not come back in time. Their rooms count for themselves.
func (t *sessions) expire() {
	var over []*session
	t.mu.Lock()
	now := time.Now()
	for e := t.lost.Front(); e != nil && !t.closed; e = t.lost.Front() {
		l := e.Value.(*lostSession)
		if wait := l.end.Sub(now); wait > 0 {
			t.timer = time.AfterFunc(wait, t.expire)
			break
		}
		t.lost.Remove(e)
		over = append(over, l.s)
	}
	t.mu.Unlock()
	for _, s := range over {
		if s.expire() {
			t.swap(s.sid, s, nil)
			t.expired.Add(1)
		}
	}
}

// close has no session wait any more, and none in future.
func (t *sessions) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.lost.Init()
	if t.timer != nil {
		t.timer.Stop()
	}
}

// SessionStats are counters of sessions since the server began, but for Held and Away.
type SessionStats struct {
	Held      int    // sessions that can be resumed, at this moment
	Away      int    // those of them that have no connection
	Resumed   uint64 // times that a session was carried on over another connection
	TakenOver uint64 // those of them in which the connection before still lived: codec.Replaced
	Refused   uint64 // tokens that were wrong, used or expired: codec.ResumeFailed
	Expired   uint64 // sessions whose client did not come back in time
	Crowded   uint64 // lost connections that were leaves because of Config.MaxAway
}

func (t *sessions) stats() (st SessionStats) {
	if t == nil {
		return st
	}
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		st.Held += len(sh.byID)
		sh.mu.Unlock()
	}
	t.mu.Lock()
	st.Away = t.lost.Len()
	t.mu.Unlock()
	st.Resumed, st.TakenOver, st.Refused = t.resumed.Load(), t.takenOver.Load(), t.refused.Load()
	st.Expired, st.Crowded = t.expired.Load(), t.crowded.Load()
	return st
}
