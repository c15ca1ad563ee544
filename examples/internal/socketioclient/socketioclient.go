// Package socketioclient has socket.io-client for the pages of the examples, the file that npm ships and no other.
package socketioclient

import (
	_ "embed"
	"net/http"
	"strings"
	"time"
)

// JS is the script. It defines io.
//
//go:embed socket.io.min.js
var JS string

// Path is where the server of Socket.IO has it, and so where pages look for it.
const Path = "/socket.io/socket.io.js"

// Handler serves JS.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(JS))
	})
}
