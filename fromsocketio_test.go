package volley_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// around is what the pieces of docs/from-socketio.md take as given.
const around = `package piece

import (
	"net/http"

	"github.com/volley-go/volley/socketio"
)

type user struct{ Name string }

var (
	io      *socketio.Server
	mux     *http.ServeMux
	otherID string
)

func userOf(token string) (*user, error) { return &user{token}, nil }
func find(id string) (any, error)        { return id, nil }
`

// importable are the packages that a piece may use.
var importable = []string{
	"errors", "log", "net/http", "regexp", "time",
	"github.com/volley-go/volley", "github.com/volley-go/volley/room", "github.com/volley-go/volley/socketio",
}

// Every piece of Go in docs/from-socketio.md compiles.
func TestFromSocketIO(t *testing.T) {
	page, err := os.ReadFile("docs/from-socketio.md")
	require.NoError(t, err)
	pieces := regexp.MustCompile("(?ms)^( *)```go\n(.*?)^ *```$").FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(pieces), 10)
	dir := t.TempDir()
	replace := map[string]string{}
	add := func(pkg, file, source string) {
		path := filepath.Join(dir, pkg+file)
		require.NoError(t, os.WriteFile(path, []byte(source), 0o600))
		as, err := filepath.Abs(filepath.Join("internal", "pieces", pkg, file))
		require.NoError(t, err)
		replace[as] = path
	}
	argv := []string{"build", "-overlay", filepath.Join(dir, "overlay.json")}
	for i, piece := range pieces {
		pkg := fmt.Sprintf("piece%d", i)
		source := strings.ReplaceAll("\n"+piece[2], "\n"+piece[1], "\n")[1:]
		add(pkg, "piece.go", whole(source))
		if !strings.HasPrefix(source, "package ") {
			add(pkg, "around.go", around)
		}
		argv = append(argv, "./internal/pieces/"+pkg)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	out, err := exec.Command("go", argv...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// whole makes a file of a piece: a program, declarations, or statements.
func whole(source string) string {
	if strings.HasPrefix(source, "package ") {
		return source
	}
	var file strings.Builder
	file.WriteString("package piece\n\nimport (\n")
	for _, path := range importable {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(source) {
			fmt.Fprintf(&file, "\t%q\n", path)
		}
	}
	file.WriteString(")\n\n")
	if regexp.MustCompile(`^(type|func [a-z(]|const|var) ?`).MatchString(source) {
		file.WriteString(source)
	} else {
		fmt.Fprintf(&file, "func _() {\n%s}\n", source)
	}
	return file.String()
}

// What docs/from-socketio.md points to is there.
func TestFromSocketIOLinks(t *testing.T) {
	page, err := os.ReadFile("docs/from-socketio.md")
	require.NoError(t, err)
	var anchors []string
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(page), -1) {
		words := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(h[1]), "")
		anchors = append(anchors, strings.ReplaceAll(words, " ", "-"))
	}
	prose := regexp.MustCompile("`[^`\n]+`").ReplaceAllString(string(page), "code")
	for _, l := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(prose, -1) {
		file, anchor, _ := strings.Cut(l[1], "#")
		if file == "" {
			assert.True(t, slices.Contains(anchors, anchor), "there is no heading for #%s", anchor)
			continue
		}
		_, err := os.Stat(filepath.Join("docs", filepath.FromSlash(file)))
		assert.NoError(t, err)
	}
}
