package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// web/uplot is uPlot as npm ships it; it is embedded because who runs the example need not have npm. web/package.json of the
// repository pins the version. With UPDATE_UPLOT=1 the test takes npm's files.
func TestUPlotIsNPMs(t *testing.T) {
	root := filepath.Join("..", "..", "web")
	from := filepath.Join(root, "node_modules", "uplot")
	if _, err := os.Stat(filepath.Join(from, "package.json")); err != nil {
		ci := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		ci.Dir = root
		if out, err := ci.CombinedOutput(); err != nil {
			t.Fatalf("npm ci (Debian has it in the package npm): %v\n%s", err, out)
		}
	}
	for name, origin := range map[string]string{
		"LICENSE": "LICENSE", "uPlot.iife.min.js": "dist/uPlot.iife.min.js", "uPlot.min.css": "dist/uPlot.min.css",
	} {
		want, err := os.ReadFile(filepath.Join(from, origin))
		if err != nil {
			t.Error(err)
			continue
		}
		want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")) // as git has it
		if os.Getenv("UPDATE_UPLOT") != "" {
			if err := os.WriteFile(filepath.Join("web", "uplot", name), want, 0o644); err != nil {
				t.Error(err)
			}
			continue
		}
		if got, err := fs.ReadFile(pages, "web/uplot/"+name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("web/uplot/%s is not what npm has (%v); UPDATE_UPLOT=1 go test -run UPlot ./examples/dashboard", name, err)
		}
	}
}
