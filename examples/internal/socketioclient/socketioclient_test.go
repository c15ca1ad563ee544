package socketioclient

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The file is the one of the package that the tests install.
func TestItIsWhatNpmShips(t *testing.T) {
	path := filepath.Join("..", "..", "..", "web", "node_modules", "socket.io-client", "dist", "socket.io.min.js")
	shipped, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make test-web installs it", err)
	}
	if string(shipped) != JS {
		t.Errorf("socket.io.min.js is not %s: copy that one, and write its version into README.md", path)
	}
}

func TestHandler(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path, http.NoBody))
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/javascript") {
		t.Errorf("%d, %s", w.Code, kind)
	}
	if w.Body.String() != JS {
		t.Error("it serves something else")
	}
}
