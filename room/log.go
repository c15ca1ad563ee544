package room

import "sort"

// scope is whom a segment is for.
type scope uint8

const (
	toAll    scope = iota // every client of the room
	toOne                 // the client numbered who
	toOthers              // all but the client numbered who
	toSet                 // the clients whose numbers stand in front of the segment's bytes
	toRest                // all but those
)

// segment is one encoded packet in a room's log.
type segment struct {
	at     uint32 // where its bytes begin, counted like log.bytes
	size   uint32 // how many they are
	who    uint32 // a client's number; for a set, how many numbers stand in front, four bytes each
	index  int32  // of the event, for latest
	key    uint64 // for latest
	tick   uint32 // in which it was emitted, counted from log.base; at most maxTicks
	scope  scope
	latest bool // a newer one with the same event and key replaces it
	dead   bool // replaced within its own tick
}

// log is a room's short memory of what it emitted: encoded segments in order, numbered from 0 since the room began. A
// client's cursor is the number of the next segment that it has not been handed. Owned by the room's owner.
type log struct {
	segments []segment
	first    uint64 // the number of segments[0]
	bytes    []byte // the packets, one behind the other
	tick     uint64 // the number of the first segment of the current tick
	now      uint64 // the current tick's own number
	base     uint64 // the tick from which the segments' ticks are counted
	lost     uint64 // the tick of the newest segment that was forgotten
	own      bool   // segments and bytes are the room's, not the workspace's: they outlive the tick

	// About the current tick.
	uniform bool                 // every segment is toAll
	common  []uint32             // the segments that are not for named clients alone, counted from tick
	refs    []ref                // those that are
	dead    int                  // segments that were replaced
	scopes  uint8                // a bit for each scope that a latest-wins segment has
	newest  map[latestKey]uint64 // the number of each key's newest segment; the workspace's
}

// latestKey is what makes one latest-wins segment replace another. Whom it is for is part of it within a tick.
type latestKey struct {
	key   uint64
	index int32
	who   uint32
	scope scope
}

// maxTickBytes bounds what a room may emit in one tick: half of the largest frame. It is a fault of the game to pass it.
const maxTickBytes = 8 << 20

// maxInputBytes is how much a tick may emit before the rest of the input waits for the next one.
const maxInputBytes = maxTickBytes / 4

// end is the number that the next segment will get.
func (l *log) end() uint64 { return l.first + uint64(len(l.segments)) }

// at returns the segment with that number, which must be in the log.
func (l *log) at(n uint64) *segment { return &l.segments[n-l.first] }

// maxTicks is what a segment's tick says of it and of all later ones: a log that has not been empty for that long.
const maxTicks = 1<<32 - 1

// begin makes the log ready for a tick.
func (l *log) begin(now uint64) {
	l.now, l.tick = now, l.end()
	if len(l.segments) == 0 {
		l.base = now
	}
	l.uniform, l.dead, l.scopes = true, 0, 0
	l.common, l.refs = l.common[:0], l.refs[:0]
	if len(l.newest) > 0 {
		clear(l.newest)
	}
}

// commit adds a segment whose packet the caller appended to l.bytes; bytes is the result of that, and at is where the
// packet begins in it.
func (l *log) commit(bytes []byte, at int, s segment) {
	l.bytes = bytes
	s.at, s.size = uint32(at), uint32(len(bytes)-at)
	s.tick = uint32(min(l.now-l.base, maxTicks))
	if s.scope != toAll {
		l.uniform = false
	}
	if s.scope != toOne && s.scope != toSet {
		l.common = append(l.common, uint32(l.end()-l.tick))
	}
	if s.latest {
		l.replace(&s)
	}
	l.segments = append(l.segments, s)
}

// replace kills the older segment of this tick that s makes pointless.
func (l *log) replace(s *segment) {
	l.scopes |= 1 << s.scope
	if s.scope == toSet || s.scope == toRest {
		return // sets are rarely equal; the reader's look at the keys decides
	}
	key := latestKey{key: s.key, index: s.index, who: s.who, scope: s.scope}
	if old, ok := l.newest[key]; ok {
		l.at(old).dead = true
		l.dead++
	}
	l.newest[key] = l.end()
}

// settled reports whether no client can hear two latest-wins segments with one key in this tick: what the tick replaced is
// all that there is to replace.
func (l *log) settled() bool {
	return l.scopes == 0 || l.scopes == 1<<toAll || l.scopes == 1<<toOne
}

// trim forgets the segments before number keep.
func (l *log) trim(keep uint64) {
	n := int(min(keep, l.end()) - min(l.first, keep))
	if n == len(l.segments) {
		l.forget(n)
		l.segments, l.bytes = l.segments[:0], l.bytes[:0]
		return
	}
	cut := int(l.segments[n].start())
	if n == 0 || (n < len(l.segments)/2 && cut < len(l.bytes)/2) {
		return // move what stays only when half is freed: the cost remains constant per byte
	}
	l.forget(n)
	l.segments = l.segments[:copy(l.segments, l.segments[n:])]
	l.bytes = l.bytes[:copy(l.bytes, l.bytes[cut:])]
	for i := range l.segments {
		l.segments[i].at -= uint32(cut)
	}
}

// forget notes that the first n segments are about to go.
func (l *log) forget(n int) {
	if n > 0 {
		l.lost = l.base + uint64(l.segments[n-1].tick)
		l.first += uint64(n)
	}
}

// after returns the number of the first segment in the log that was emitted after a tick; false: it cannot tell.
func (l *log) after(tick uint64) (n uint64, known bool) {
	switch {
	case tick >= l.now:
		return l.end(), true
	case tick < l.base:
		return l.first, true
	case tick-l.base >= maxTicks:
		return l.first, false
	}
	i := sort.Search(len(l.segments), func(i int) bool { return uint64(l.segments[i].tick) > tick-l.base })
	return l.first + uint64(i), true
}

// start is where a segment's bytes begin, the numbers of its set included.
func (s *segment) start() uint32 {
	if s.scope == toSet || s.scope == toRest {
		return s.at - 4*s.who
	}
	return s.at
}

// oldest returns the first number that may stay in the log so that it holds at most limit bytes before the current tick.
func (l *log) oldest(limit int) uint64 {
	if len(l.bytes) <= limit {
		return l.first
	}
	current := len(l.bytes)
	if l.tick < l.end() {
		current = int(l.at(l.tick).start())
	}
	n := sort.Search(int(l.tick-l.first), func(i int) bool { return current-int(l.segments[i].start()) <= limit })
	return l.first + uint64(n)
}
