package netio

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func tableOf(sockets, perSecond int) *addrTable {
	return newAddrTable(Config{ConnsPerAddress: sockets, HandshakesPerSecondPerAddress: perSecond}.withDefaults())
}

// total is how many sockets the table counts.
func (t *addrTable) total() (n int) {
	for i := range t.sets {
		s := &t.sets[i]
		s.mu.Lock()
		for j := range s.entries {
			n += int(s.entries[j].sockets)
		}
		s.mu.Unlock()
	}
	return n
}

// A random walk of a few addresses, against a model that keeps everything in maps.
func TestAddrTableLikeModel(t *testing.T) {
	const sockets, perSecond, addrs = 5, 10, 20
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		table := tableOf(sockets, perSecond)
		held := map[netip.Addr][]int32{}
		tokens, last := map[netip.Addr]float64{}, map[netip.Addr]int64{}
		var now int64
		for range 5000 {
			now += rnd.Int64N(int64(20 * time.Millisecond))
			addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.IntN(addrs))})
			if n := len(held[addr]); n > 0 && rnd.IntN(3) == 0 {
				i := rnd.IntN(n)
				table.give(held[addr][i])
				held[addr] = append(held[addr][:i], held[addr][i+1:]...)
				continue
			}
			if _, known := last[addr]; !known {
				tokens[addr] = 10 * perSecond
			}
			tokens[addr] = min(10*perSecond, tokens[addr]+float64(now-last[addr])*perSecond/1e9)
			last[addr] = now
			want := welcome
			switch {
			case len(held[addr]) == sockets:
				want = tooMany
			case tokens[addr] < 1-1e-6:
				want = tooFast
			}
			place, got := table.take(addr, now)
			require.Equal(t, want, got, "seed %d, %s", seed, addr)
			if got == welcome {
				require.Positive(t, place)
				tokens[addr]--
				held[addr] = append(held[addr], place)
			}
		}
		want := 0
		for _, places := range held {
			want += len(places)
		}
		require.Equal(t, want, table.total())
	}
}

// What an address is counted as.
func TestNetworks(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		require.Equal(t, tt.same, AddressKey(ip(tt.a)) == AddressKey(ip(tt.b)), "%s and %s", tt.a, tt.b)
	}
	for far, want := range map[net.Addr]string{
		&net.TCPAddr{IP: net.ParseIP("192.0.2.1")}:         "192.0.2.1",
		&net.TCPAddr{IP: net.ParseIP("2001:db8::1")}:       "2001:db8::1",
		&net.TCPAddr{IP: net.ParseIP("127.3.2.1")}:         "invalid IP",
		&net.TCPAddr{IP: net.ParseIP("::1")}:               "invalid IP",
		&net.UnixAddr{Name: "/run/volley.sock"}:            "invalid IP",
		&net.TCPAddr{}:                                     "invalid IP",
		&net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1")}:  "invalid IP",
		&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}: "192.0.2.1",
	} {
		require.Equal(t, want, countable(far).Unmap().String(), "%v", far)
	}
}

// However many addresses come, the table stays what it is; who has sockets keeps the place, who has none makes room.
func TestAddrTableIsBounded(t *testing.T) {
	table := newAddrTable(Config{ConnsPerAddress: 2, HandshakesPerSecondPerAddress: 1, MaxConns: 500}.withDefaults())
	size := len(table.sets) * int(unsafe.Sizeof(addrSet{}))
	require.Less(t, size, 32<<10)
	resident, _ := table.take(ip("192.0.2.1"), 0)
	again, _ := table.take(ip("192.0.2.1"), 0)
	require.Equal(t, resident, again)
	for i := range 1_000_000 {
		place, crowd := table.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), int64(i))
		require.Equal(t, welcome, crowd)
		require.NotZero(t, place)
		table.give(place)
	}
	_, crowd := table.take(ip("192.0.2.1"), 0)
	require.Equal(t, tooMany, crowd, "the flood has not pushed out who has sockets")
	require.Equal(t, 2, table.total())
	require.Equal(t, size, len(table.sets)*int(unsafe.Sizeof(addrSet{})))

	// More addresses with sockets than there are places: the last ones are not counted, and nobody is refused.
	uncounted := 0
	for i := range 5000 {
		place, crowd := table.take(netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)}), 0)
		require.Equal(t, welcome, crowd)
		if place == 0 {
			uncounted++
		}
	}
	require.Greater(t, uncounted, 3000)
}

// The default table has a place for nearly every address of a full server with one player behind each.
func TestAddrTableFitsItsServer(t *testing.T) {
	const conns = 19_000
	table := newAddrTable(Config{MaxConns: conns}.withDefaults())
	uncounted := 0
	for i := range conns {
		if place, _ := table.take(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 0); place == 0 {
			uncounted++
		}
	}
	require.Less(t, uncounted, conns/50)
	require.Less(t, len(table.sets)*int(unsafe.Sizeof(addrSet{}))/conns, 48, "bytes for each connection")
}

func TestAddrTableConcurrently(t *testing.T) {
	table := tableOf(1000, -1)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 2))
			var mine []int32
			for i := range 5000 {
				if place, _ := table.take(netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.IntN(50))}), int64(i)); place > 0 {
					mine = append(mine, place)
				}
				if len(mine) > 20 {
					table.give(mine[0])
					mine = mine[1:]
				}
			}
			for _, place := range mine {
				table.give(place)
			}
		})
	}
	all.Wait()
	require.Zero(t, table.total())
}

func TestForwardedFor(t *testing.T) {
	find := ForwardedFor(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"))
	for _, tt := range []struct {
		name, remote string
		header       []string
		want         string
	}{
		{"no proxy", "192.0.2.7:1234", nil, "192.0.2.7"},
		{"no proxy of ours, whatever it claims", "192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"},
		{"one proxy", "10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"the client has lied to the proxy", "10.0.0.1:1234", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1234", []string{"203.0.113.9, 198.51.100.1, 10.9.9.9"}, "198.51.100.1"},
		{"two proxies, two lines", "[2001:db8::1]:1234", []string{"203.0.113.9, 198.51.100.1", "10.9.9.9"}, "198.51.100.1"},
		{"with ports and brackets", "10.0.0.1:1234", []string{"[2001:db9::5]:99"}, "2001:db9::5"},
		{"bare IPv6", "10.0.0.1:1234", []string{"2001:db9::5"}, "2001:db9::5"},
		{"mapped", "[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"only proxies", "10.0.0.1:1234", []string{"10.1.1.1"}, "10.1.1.1"},
		{"a proxy that says nothing", "10.0.0.1:1234", nil, "10.0.0.1"},
		{"a proxy that does not know", "10.0.0.1:1234", []string{"unknown"}, "invalid IP"},
		{"a Unix socket", "@", []string{"198.51.100.1"}, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.header}}
			require.Equal(t, tt.want, find(r).String())
		})
	}
}

func TestAllowOrigins(t *testing.T) {
	check, err := OriginCheck([]string{"https://game.example", "http://local.example:8080", "https://*.wide.example", "https://port.example:443"})
	require.NoError(t, err)
	for origin, want := range map[string]bool{
		"https://own.example":            true, // r.Host
		"http://OWN.example":             true,
		"https://game.example":           true,
		"https://GAME.example":           true,
		"http://game.example":            false,
		"https://game.example:8443":      false,
		"https://game.example.evil":      false,
		"https://evil-game.example":      false,
		"http://local.example:8080":      true,
		"http://local.example":           false,
		"https://a.wide.example":         true,
		"https://a.b.wide.example":       true,
		"https://wide.example":           false,
		"https://.wide.example":          false,
		"https://evilwide.example":       false,
		"https://port.example":           true,
		"https://game.example@evil.test": false,
		"https://game.example/path":      false,
		"null":                           false,
		"":                               false,
	} {
		r := &http.Request{Host: "own.example", Header: http.Header{"Origin": {origin}}}
		require.Equal(t, want, check(r), "%q", origin)
	}
	require.True(t, check(&http.Request{Host: "own.example", Header: http.Header{}}), "no browser")
	require.False(t, check(&http.Request{Host: "own.example", Header: http.Header{"Origin": {"https://game.example", "https://game.example"}}}))

	all, err := OriginCheck([]string{"*"})
	require.NoError(t, err)
	require.True(t, all(&http.Request{Host: "own.example", Header: http.Header{"Origin": {"https://any.example"}}}))

	for _, bad := range []string{"", "game.example", "https://", "https://game.example/", "https://*", "https://a.*.example", "https://u@game.example"} {
		_, err := New(Config{AllowOrigins: []string{bad}}, newHub())
		require.ErrorContains(t, err, fmt.Sprintf("%q", bad))
	}
	_, err = New(Config{AllowOrigins: []string{"*"}, CheckOrigin: func(*http.Request) bool { return true }}, newHub())
	require.ErrorContains(t, err, "one of them")
}
