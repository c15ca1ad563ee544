package client

import (
	"fmt"
	"net/url"
	"strings"
)

// scheme is a way to connect.
type scheme struct {
	ws, tls bool
	port    string // the default; empty: it must be given
}

var schemes = map[string]scheme{
	"ws": {ws: true, port: "80"}, "wss": {ws: true, tls: true, port: "443"}, "tcp": {}, "tcps": {tls: true},
}

// parseAddress takes an address apart.
func parseAddress(address string) (u *url.URL, how scheme, port string, err error) {
	if u, err = url.Parse(address); err != nil {
		return nil, how, "", err
	}
	how, ok := schemes[u.Scheme]
	if !ok {
		return nil, how, "", fmt.Errorf("scheme %q is none of ws, wss, tcp and tcps", u.Scheme)
	}
	if port = u.Port(); port == "" {
		port = how.port
	}
	if u.Hostname() == "" || port == "" {
		return nil, how, "", fmt.Errorf("the address needs a host and a port")
	}
	return u, how, port, nil
}

// places are where a client may dial: where its user said, and where a server has sent it since. A server that cannot be
// reached at the one is looked for at the other, in turn.
type places struct {
	home  string
	other string // empty: there is none
	away  bool   // the other's turn
}

func (p *places) current() string {
	if p.away {
		return p.other
	}
	return p.home
}

// move takes a BYE's address. One that is none, or that would give up TLS, is passed over.
func (p *places) move(address string) {
	if address == "" {
		return
	}
	_, home, _, err := parseAddress(p.home)
	if err != nil {
		return // not reached: it was dialled
	}
	if !home.ws && !strings.Contains(address, "://") { // host:port
		prefix, _, _ := strings.Cut(p.home, "://")
		address = prefix + "://" + address
	}
	if _, how, _, err := parseAddress(address); err == nil && (how.tls || !home.tls) {
		p.other, p.away = address, true
	}
}

// missed says that nobody answered at the current place.
func (p *places) missed() { p.away = !p.away && p.other != "" }

func redacted(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Redacted()
	}
	return address
}
