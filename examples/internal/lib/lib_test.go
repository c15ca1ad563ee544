package lib

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// origins say where in web/node_modules each file comes from.
var origins = map[string]string{
	"socket.io.min.js":             "socket.io-client/dist/socket.io.min.js",
	"socket.io-client-LICENSE.txt": "socket.io-client/LICENSE",
	"uPlot.iife.min.js":            "uplot/dist/uPlot.iife.min.js",
	"uPlot.min.css":                "uplot/dist/uPlot.min.css",
	"uPlot-LICENSE.txt":            "uplot/LICENSE",
}

// TestFilesAreNPMs compares the files with those that npm installs. With UPDATE_LIB=1 it takes npm's.
func TestFilesAreNPMs(t *testing.T) {
	web := filepath.Join("..", "..", "..", "web")
	for _, needed := range []string{"uplot", "socket.io-client"} {
		if _, err := os.Stat(filepath.Join(web, "node_modules", needed, "package.json")); err == nil {
			continue
		}
		ci := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		ci.Dir = web
		if out, err := ci.CombinedOutput(); err != nil {
			t.Fatalf("npm ci (Debian has it in the package npm): %v\n%s", err, out)
		}
	}
	for name, from := range origins {
		want, err := os.ReadFile(filepath.Join(web, "node_modules", from))
		if err != nil {
			t.Error(err)
			continue
		}
		want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")) // as git has it
		if os.Getenv("UPDATE_LIB") != "" {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Error(err)
			}
			continue
		}
		if got, err := fs.ReadFile(files, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what npm has: go test ./examples/internal/lib with UPDATE_LIB=1 takes it (%v)", name, err)
		}
	}
	have, err := fs.Glob(files, "*")
	if err != nil || len(have) != len(origins) {
		t.Errorf("there are %q (%v); each needs an origin", have, err)
	}
}

func TestHandler(t *testing.T) {
	srv := httptest.NewServer(Handler("/lib/"))
	defer srv.Close()
	for path, want := range map[string]int{"/lib/uPlot.min.css": http.StatusOK, "/lib/none.js": http.StatusNotFound} {
		res, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d; want %d", path, res.StatusCode, want)
		}
	}
}
