package boundary

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/volley-go/volley"

// pkg is what the tests want of go list.
type pkg struct {
	ImportPath   string
	Standard     bool
	Module       *struct{ Path string }
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// ours reports whether the package belongs to this module.
func (p *pkg) ours() bool { return p.Module != nil && p.Module.Path == module }

// thirdParty reports whether it belongs to another.
func (p *pkg) thirdParty() bool { return p.Module != nil && p.Module.Path != module }

// graph is every package of this module, with all that they reach, by import path.
type graph map[string]*pkg

// load asks the go command for the packages of this module, and of what their tests import.
func load(t *testing.T) graph {
	t.Helper()
	watch(t)
	cmd := exec.Command("go", "list", "-e", "-deps",
		"-json=ImportPath,Standard,Module,Imports,TestImports,XTestImports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	g := graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p
	}
}

// watch looks at every directory of the module, so that go test does not take a result from its cache after a file has
// changed: it knows what a test opens, and not what the go command does for it.
func watch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{".git", "node_modules"}, d.Name()) {
			return fs.SkipDir
		}
		if errors.Is(err, fs.ErrNotExist) { // removed while we looked
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile("../../go.mod"); err != nil {
		t.Fatal(err)
	}
}

// way returns the shortest chain of imports from a package to one that bad picks, both included, or nil. Test files are
// not looked at.
func (g graph) way(from string, bad func(*pkg) bool) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		here := g[queue[0]]
		if here == nil {
			continue
		}
		if here.ImportPath != from && bad(here) {
			var way []string
			for at := here.ImportPath; at != ""; at = before[at] {
				way = append(way, at)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range here.Imports {
			if _, seen := before[next]; !seen {
				before[next] = here.ImportPath
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// reached returns all that the packages reach, themselves excluded, without test files.
func (g graph) reached(from ...string) []*pkg {
	seen := map[string]bool{}
	var found []*pkg
	var walk func(string)
	walk = func(at string) {
		p := g[at]
		if p == nil || seen[at] {
			return
		}
		seen[at] = true
		if !slices.Contains(from, at) {
			found = append(found, p)
		}
		for _, next := range p.Imports {
			walk(next)
		}
	}
	for _, at := range from {
		walk(at)
	}
	return found
}

// within reports whether a package is the named one or, for a name that ends with "/...", anywhere below it as well.
func within(name, importPath string) bool {
	if tree, ok := strings.CutSuffix(name, "/..."); ok {
		return importPath == tree || strings.HasPrefix(importPath, tree+"/")
	}
	return importPath == name
}

// full makes an import path of a package's name in the tables: "" is the root, "room" is this module's.
func full(name string) string { return path.Join(module, name) }
