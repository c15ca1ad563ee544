package main

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/volley-go/volley/examples/internal/socketioclient"
)

//go:embed web
var web embed.FS

// layout is the page, which is the same for both clients but for the script that it begins with.
//
//go:embed page.html
var layout string

// client is what the page says of its client.
type client struct {
	Script           string // below web
	Name             string
	Other, OtherName string // the page with the other client
}

var clients = map[string]client{
	"/{$}":           {Script: "native.js", Name: "Volley", Other: "socketio.html", OtherName: "Socket.IO"},
	"/socketio.html": {Script: "socketio.js", Name: "Socket.IO", Other: "./", OtherName: "Volley"},
}

// policy lets the page's own scripts run and no others, whatever somebody may have said.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// pages serves all that is no connection of Volley's.
func (p *program) pages() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	mux := http.NewServeMux()
	page := template.Must(template.New("page").Parse(layout))
	for path, c := range clients {
		var html bytes.Buffer
		if err := page.Execute(&html, c); err != nil {
			panic(err) // the page is embedded above
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = w.Write(html.Bytes())
		})
	}
	mux.Handle("/", http.FileServerFS(files))
	mux.Handle("GET /rooms", p.rooms)
	mux.Handle("GET "+socketioclient.Path, socketioclient.Handler())
	mux.Handle("/socket.io/", p.io)
	return mux
}
