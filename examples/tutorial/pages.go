package main

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/volley-go/volley/examples/internal/socketioclient"
)

//go:embed page
var files embed.FS

// pages puts the page with the buttons into a mux, and socket.io-client where its own server has it.
func pages(mux *http.ServeMux) {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	mux.Handle(socketioclient.Path, socketioclient.Handler())
	mux.Handle("/", http.FileServerFS(page))
}
