package volley_test

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/volley-go/volley/codec"
)

// upgradeAttacks are requests that are no proper upgrade.
func upgradeAttacks() (list []attack) {
	const (
		key     = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		version = "Sec-WebSocket-Version: 13\r\n"
		host    = "Host: game.example\r\n"
	)
	with := func(lines string) []byte { return edited(host, host+lines) }
	for _, bad := range []struct {
		name    string
		request []byte
		want    codec.Code
	}{
		{"no Host", edited(host, ""), 400},
		{"two Hosts", edited(host, host+"Host: evil.example\r\n"), 400},
		{"a second Host in a folded line", edited(host, host+"X-Fold: a\r\n Host: evil.example\r\n"), 400},
		{"no Upgrade", edited("Upgrade: websocket\r\n", ""), 426},
		{"another Upgrade", edited("Upgrade: websocket", "Upgrade: h2c"), 426},
		{"no Connection", edited("Connection: Upgrade\r\n", ""), 400},
		{"no key", edited(key, ""), 400},
		{"two keys", edited(key, key+key), 400},
		{"a key of 1 byte", edited(key, "Sec-WebSocket-Key: eA==\r\n"), 400},
		{"a key of 4 KiB", edited(key, "Sec-WebSocket-Key: "+strings.Repeat("eHh4", 1<<10)+"\r\n"), 400},
		{"a key that is no base64", edited(key, "Sec-WebSocket-Key: ????????????????????????\r\n"), 400},
		{"no version", edited(version, ""), 426},
		{"version 12", edited(version, "Sec-WebSocket-Version: 12\r\n"), 426},
		{"two versions", edited(version, version+"Sec-WebSocket-Version: 8\r\n"), 426},
		{"HTTP/1.0", edited("HTTP/1.1", "HTTP/1.0"), 400},
		{"HTTP/0.9", []byte("GET /volley\r\n\r\n"), 400},
		{"HTTP/3.7", edited("HTTP/1.1", "HTTP/3.7"), 400},
		{"POST", edited("GET ", "POST "), 405},
		{"a body", append(with("Content-Length: 5\r\n"), "hello"...), 400},
		{"a chunked body", append(with("Transfer-Encoding: chunked\r\n"), "5\r\nhello\r\n0\r\n\r\n"...), 400},
		{"smuggling: two Content-Lengths", append(with("Content-Length: 0\r\nContent-Length: 44\r\n"), upgradeRequest...), 400},
		{"smuggling: Content-Length and chunks", append(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"...), 400},
		{"smuggling: an unknown Transfer-Encoding", with("Transfer-Encoding: xchunked\r\n"), 400},
		{"smuggling: a list of Content-Lengths", with("Content-Length: 0, 44\r\n"), 400},
		{"smuggling: a blank before the colon", with("Content-Length : 44\r\n"), 400},
		{"smuggling: a bare CR", with("X-A: b\rContent-Length: 44\r\n"), 400},
		{"a negative Content-Length", with("Content-Length: -1\r\n"), 400},
		{"a Content-Length of 2^64", with("Content-Length: 18446744073709551616\r\n"), 400},
		{"NUL in a header", with("X-A: b\x00c\r\n"), 400},
		{"a header without a name", with(": x\r\n"), 400},
		{"a header without a colon", with("nonsense\r\n"), 400},
		{"a page of another origin", with("Origin: https://evil.example\r\n"), 403},
		{"origin null", with("Origin: null\r\n"), 403},
		{"two origins, one of them ours", with("Origin: http://game.example\r\nOrigin: https://evil.example\r\n"), 403},
		{"an origin with our name as user", with("Origin: http://game.example@evil.example\r\n"), 403},
		{"another path", edited("/volley", "/etc/passwd"), 404},
		{"a path that climbs", edited("/volley", "/volley/../../etc/passwd"), 404},
		{"NUL in the path", edited("/volley", "/volley%00"), 404},
		{"a path of 8 KiB", edited("/volley", "/"+strings.Repeat("v", 8<<10)), http.StatusRequestHeaderFieldsTooLarge},
		{"a header line of 8 KiB", with("X-A: " + strings.Repeat("a", 8<<10) + "\r\n"), http.StatusRequestHeaderFieldsTooLarge},
		{"a line of 64 KiB without an end", bytes.Repeat([]byte("x"), 64<<10), http.StatusRequestHeaderFieldsTooLarge},
		{"10,000 headers", with(strings.Repeat("A:b\r\n", 10_000)), http.StatusRequestHeaderFieldsTooLarge},
		{"1,000 headers", with(strings.Repeat("A:b\r\n", 1000)), http.StatusSwitchingProtocols},
		{"compression that nobody agrees to", with("Sec-WebSocket-Extensions: permessage-deflate\r\n"), http.StatusSwitchingProtocols},
		{"the beginning of HTTP/2", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 404},
		{"a proxy's CONNECT", []byte("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"), 404},
		{"random bytes", []byte("\x80\x81\x82\r\n\r\n"), 400},
	} {
		list = append(list, attack{name: bad.name, state: "bare", do: write(bad.request), want: bad.want})
	}
	return list
}
