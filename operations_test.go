package volley_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
	"github.com/volley-go/volley/room"
)

// The tables of docs/operations.md name fields, counters and tests that there are.
func TestOperationsPage(t *testing.T) {
	page, err := os.ReadFile("docs/operations.md")
	require.NoError(t, err)
	tests := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "netio/*_test.go", "room/*_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(page, -1)
	require.Greater(t, len(named), 20)
	for _, m := range named {
		assert.True(t, tests[string(m[1])], "the page names %s, and there is no such test", m[1])
	}

	rows := 0
	for row := range strings.Lines(string(page)) {
		cells := strings.Split(row, "|")
		if len(cells) != 9 || strings.Contains(cells[1], "limit") && strings.Contains(cells[2], "field") || strings.HasPrefix(cells[1], "---") {
			continue
		}
		rows++
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			assert.True(t, hasField(m[1]), "%s is no field", m[1])
		}
		counters := regexp.MustCompile("`([A-Za-z.]+)(\\[\\d+\\])?`").FindAllStringSubmatch(cells[6], -1)
		assert.NotEmpty(t, counters, "no counter: %s", row)
		for _, m := range counters {
			assert.True(t, has(reflect.TypeFor[volley.Stats](), m[1]), "%s is no counter", m[1])
		}
	}
	assert.Greater(t, rows, 18)
}

// hasField reports whether a configuration has that field: volley's, or the one whose package is named.
func hasField(name string) bool {
	switch {
	case strings.HasPrefix(name, "room.Config."):
		return has(reflect.TypeFor[room.Config](), strings.TrimPrefix(name, "room.Config."))
	case strings.HasPrefix(name, "netio.Config."):
		return has(reflect.TypeFor[netio.Config](), strings.TrimPrefix(name, "netio.Config."))
	case strings.HasPrefix(name, "."):
		return has(reflect.TypeFor[codec.Limits](), name[1:])
	}
	return has(reflect.TypeFor[volley.Config](), name)
}

// has follows a path of fields.
func has(t reflect.Type, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		f, ok := t.FieldByName(name)
		if !ok {
			return false
		}
		t = f.Type
	}
	return true
}
