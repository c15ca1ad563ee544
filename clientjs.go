package volley

import (
	_ "embed"
	"net/http"
	"strings"
	"time"
)

// ClientJS is the browser client, an ES module: web/src of this repository, built. A Server serves it at Config.Path + ".js".
//
//go:embed web/dist/volley.js
var ClientJS []byte

// serveClient serves ClientJS.
func serveClient(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(ClientJS)))
}
