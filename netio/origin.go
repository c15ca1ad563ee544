package netio

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// OriginCheck is the default of Config.CheckOrigin, for Config.AllowOrigins: the server's own origin, and those that are allowed.
// Browsers send Origin with every WebSocket upgrade, whatever page runs the script; other clients need not, and could write
// anything.
func OriginCheck(allowed []string) (func(r *http.Request) bool, error) {
	var rules []originRule
	all := false
	for _, s := range allowed {
		if s == "*" {
			all = true
			continue
		}
		rule, err := parseOriginRule(s)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return func(r *http.Request) bool {
		origins := r.Header["Origin"]
		if len(origins) == 0 || all {
			return true
		}
		scheme, host, ok := parseOrigin(origins[0])
		if !ok || len(origins) != 1 {
			return false
		}
		if strings.EqualFold(host, r.Host) {
			return true
		}
		for _, rule := range rules {
			if rule.allows(scheme, host) {
				return true
			}
		}
		return false
	}, nil
}

// originRule is one of Config.AllowOrigins, in lower case.
type originRule struct {
	scheme string
	host   string // with a port, if there is one
	below  bool   // host begins with a dot, and what ends in it is allowed
}

func (o originRule) allows(scheme, host string) bool {
	host = strings.ToLower(host)
	if scheme != o.scheme {
		return false
	}
	if o.below {
		return strings.HasSuffix(host, o.host) && len(host) > len(o.host)
	}
	return host == o.host
}

func parseOriginRule(s string) (originRule, error) {
	scheme, host, ok := parseOrigin(strings.Replace(s, "://*.", "://", 1))
	if !ok || strings.Contains(host, "*") {
		return originRule{}, fmt.Errorf("netio: %q in Config.AllowOrigins is no origin: write https://host, https://host:port, "+
			"https://*.host or *", s)
	}
	host = strings.ToLower(host)
	if port := map[string]string{"https": ":443", "http": ":80"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port) // browsers leave it out
	}
	rule := originRule{scheme: scheme, host: host, below: strings.Contains(s, "://*.")}
	if rule.below {
		rule.host = "." + rule.host
	}
	return rule, nil
}

// parseOrigin takes an origin apart: a scheme, and a host with its port if that is not the scheme's.
func parseOrigin(s string) (scheme, host string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", false
	}
	return strings.ToLower(u.Scheme), u.Host, true
}
