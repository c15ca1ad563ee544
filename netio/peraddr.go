package netio

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
)

const (
	addrWays    = 8       // places in a set
	minAddrSets = 1 << 7  // 1,024 places, 26 KB
	maxAddrSets = 1 << 15 // 262,144 places, 6.5 MB
)

// addrTable counts the sockets of each address, and its handshakes per second. Its size is fixed: an address has its place while
// it has sockets, and loses it to another one afterwards. Whose set has no place left is not counted, which takes thousands of
// addresses with sockets at once; Config.MaxConns bounds them.
type addrTable struct {
	seed    maphash.Seed // nobody outside can choose addresses that share a set
	sockets int32        // of one address; 0: no limit
	rate    rate
	sets    []addrSet // a power of two
}

type addrSet struct {
	mu      sync.Mutex
	entries [addrWays]addrEntry // guarded by mu
}

type addrEntry struct {
	key     uint64 // the address's hash; 0: nobody has been here
	paid    int64  // rate.take's
	sockets int32
}

// crowd is why an address may not have one more socket.
type crowd uint8

const (
	welcome crowd = iota
	tooMany       // sockets
	tooFast       // too many handshakes per second
)

// newAddrTable is a table for about conns connections.
func newAddrTable(cfg Config) *addrTable {
	t := &addrTable{
		seed:    maphash.MakeSeed(),
		sockets: int32(max(cfg.ConnsPerAddress, 0)),
		rate:    newRate(cfg.HandshakesPerSecondPerAddress, 10*cfg.HandshakesPerSecondPerAddress),
	}
	n := minAddrSets
	for n < maxAddrSets && n*addrWays < cfg.MaxConns*3/2 {
		n *= 2
	}
	t.sets = make([]addrSet, n)
	return t
}

// take counts a socket of the address and returns its place, for give; 0: it is not counted.
func (t *addrTable) take(addr netip.Addr, now int64) (place int32, no crowd) {
	key := maphash.Comparable(t.seed, AddressKey(addr)) | 1
	at := int(key>>32) & (len(t.sets) - 1)
	s := &t.sets[at]
	s.mu.Lock()
	defer s.mu.Unlock()
	way := s.find(key)
	if way < 0 {
		return 0, welcome
	}
	e := &s.entries[way]
	if t.sockets > 0 && e.sockets >= t.sockets {
		return 0, tooMany
	}
	if !t.rate.take(&e.paid, now, 1) {
		return 0, tooFast
	}
	e.sockets++
	return int32(at*addrWays+way) + 1, welcome
}

// give is take's opposite.
func (t *addrTable) give(place int32) {
	s := &t.sets[(place-1)/addrWays]
	s.mu.Lock()
	s.entries[(place-1)%addrWays].sockets--
	s.mu.Unlock()
}

// find returns the place of a key: its own, or that of an address without sockets, whose handshakes lie back the longest. -1:
// there is none. The caller holds mu.
func (s *addrSet) find(key uint64) int {
	best := -1
	for i := range s.entries {
		e := &s.entries[i]
		if e.key == key {
			return i
		}
		if e.sockets == 0 && (best < 0 || e.paid < s.entries[best].paid) {
			best = i
		}
	}
	if best >= 0 {
		s.entries[best] = addrEntry{key: key}
	}
	return best
}

// AddressKey is what an address is counted as: IPv4 whole, of IPv6 the first 64 bits, which one customer has to himself.
func AddressKey(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr
	}
	p, _ := addr.Prefix(64)
	return p.Addr()
}

// countable returns the address of a socket's far end, unless it is one that nobody is counted by: that of this machine, behind
// which there is a proxy or a test, or none at all.
func countable(far net.Addr) netip.Addr {
	tcp, ok := far.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr()
	if addr.Unmap().IsLoopback() {
		return netip.Addr{}
	}
	return addr
}
