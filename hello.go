package volley

import (
	"net"
	"net/http"

	"github.com/volley-go/volley/codec"
)

// Hello is what a connection shows before it is let in.
type Hello struct {
	// Request is the WebSocket's upgrade request, with its cookies and headers; nil for a TCP connection.
	Request *http.Request
	// RemoteAddr is where the connection comes from.
	RemoteAddr net.Addr

	auth []byte
}

// Auth decodes what the client gave as auth into a T. The zero T comes back if it gave nothing. It is valid in Config.Auth
// only.
func Auth[T any](h *Hello) (v T, err error) {
	if len(h.auth) == 0 || (len(h.auth) == 1 && h.auth[0] == 0xc0) {
		return v, nil
	}
	err = codec.Unmarshal(h.auth, &v)
	return v, err
}
