// Package lib has what the examples' pages use of npm's packages, as npm ships it. It is embedded, because who runs an example
// need not have npm; web/package.json pins the versions.
package lib

import (
	"embed"
	"net/http"
)

//go:embed *.js *.css *.txt
var files embed.FS

// Handler serves the files below a path that ends with a slash, such as "/lib/".
func Handler(path string) http.Handler { return http.StripPrefix(path, http.FileServerFS(files)) }
