package netio

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// httpError is an answer to a request that cannot become a connection.
type httpError struct {
	status int
	text   string
}

var (
	errMethod      = &httpError{http.StatusMethodNotAllowed, "a WebSocket upgrade is a GET"}
	errHTTPVersion = &httpError{http.StatusBadRequest, "a WebSocket upgrade needs HTTP/1.1"}
	errUpgrade     = &httpError{http.StatusUpgradeRequired, "this is a WebSocket endpoint: Upgrade must be websocket"}
	errConnection  = &httpError{http.StatusBadRequest, "Connection must name Upgrade"}
	errVersion     = &httpError{http.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13"}
	errHead        = &httpError{http.StatusBadRequest, "the request's head can be read in several ways"}
	errKey         = &httpError{http.StatusBadRequest, "Sec-WebSocket-Key must be one key of 16 bytes in base64"}
	errBody        = &httpError{http.StatusBadRequest, "a WebSocket upgrade has no body"}
	errOrigin      = &httpError{http.StatusForbidden,
		"web pages of this Origin may not connect; the server's owner can allow it: Config.AllowOrigins"}
	errRequest     = &httpError{http.StatusBadRequest, "this is not an HTTP request"}
	errHeadTooBig  = &httpError{http.StatusRequestHeaderFieldsTooLarge, "the request's head is longer than 8 KiB"}
	errHeadTimeout = &httpError{http.StatusRequestTimeout, "the request did not come in time"}
	errFull        = &httpError{http.StatusServiceUnavailable, "the server is full"}
	errShutdown    = &httpError{http.StatusServiceUnavailable, "the server shuts down"}
	errTooMany     = &httpError{http.StatusTooManyRequests, "your address has too many connections"}
	errTooFast     = &httpError{http.StatusTooManyRequests, "your address connects too often"}
	errNoHijack    = &httpError{http.StatusInternalServerError, "this server cannot upgrade connections"}
)

// checkUpgrade returns the Sec-WebSocket-Accept of a WebSocket upgrade, or what is wrong with it.
func (e *Engine) checkUpgrade(r *http.Request) (accept string, err *httpError) {
	keys, versions := r.Header["Sec-Websocket-Key"], r.Header["Sec-Websocket-Version"]
	switch {
	case r.Method != http.MethodGet:
		return "", errMethod
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return "", errHTTPVersion
	case !hasToken(r.Header, "Upgrade", "websocket"):
		return "", errUpgrade
	case !hasToken(r.Header, "Connection", "upgrade"):
		return "", errConnection
	case len(versions) != 1 || versions[0] != "13":
		return "", errVersion
	case len(keys) != 1 || !isKey(keys[0]):
		return "", errKey
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return "", errBody
	case !e.cfg.CheckOrigin(r):
		return "", errOrigin
	}
	sum := sha1.Sum([]byte(keys[0] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// isKey reports whether s is the base64 of 16 bytes.
func isKey(s string) bool {
	var raw [18]byte
	if len(s) != 24 {
		return false
	}
	n, err := base64.StdEncoding.Decode(raw[:], []byte(s))
	return err == nil && n == 16
}

// hasToken reports whether a header that is a list names token, in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// switching is the answer to an upgrade.
func switching(accept string) []byte {
	return []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		accept + "\r\n\r\n")
}

// answer is the whole answer of an error, after which the connection is closed.
func (e *httpError) answer() []byte {
	var b strings.Builder
	b.WriteString("HTTP/1.1 ")
	b.WriteString(strconv.Itoa(e.status))
	b.WriteString(" " + http.StatusText(e.status) + "\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n")
	for name, values := range e.header() {
		b.WriteString(name + ": " + values[0] + "\r\n")
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(e.text)+1) + "\r\n\r\n" + e.text + "\n")
	return []byte(b.String())
}

// header is what an error's status asks for.
func (e *httpError) header() http.Header {
	switch e.status {
	case http.StatusUpgradeRequired:
		return http.Header{"Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"}}
	case http.StatusMethodNotAllowed:
		return http.Header{"Allow": {http.MethodGet}}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return http.Header{"Retry-After": {"5"}}
	}
	return nil
}
