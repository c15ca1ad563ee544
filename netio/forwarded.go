package netio

import (
	"net/http"
	"net/netip"
	"strings"
)

// ForwardedFor is a Config.ClientAddr for servers behind proxies that append to X-Forwarded-For: it returns the last address of
// that header, from the end, that is none of your proxies'. A request that does not come from one of them counts under its own
// address, whatever it claims. Name the networks of all your proxies; those of your players must not be among them.
//
//	netio.ForwardedFor(netip.MustParsePrefix("10.0.0.0/8"))
func ForwardedFor(proxies ...netip.Prefix) func(*http.Request) netip.Addr {
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) netip.Addr {
		at, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Addr{} // a Unix socket, say
		}
		addr := at.Addr().Unmap().WithZone("")
		lines := r.Header.Values("X-Forwarded-For")
		for i := len(lines) - 1; i >= 0; i-- {
			hops := strings.Split(lines[i], ",")
			for j := len(hops) - 1; j >= 0; j-- {
				if !trusted(addr) {
					return addr
				}
				if addr, err = parseHop(hops[j]); err != nil {
					return netip.Addr{}
				}
			}
		}
		return addr
	}
}

// parseHop reads an address, with a port or without.
func parseHop(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if at, err := netip.ParseAddrPort(s); err == nil {
		return at.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone(""), err
}
