package volley

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	table, other := newSessions(time.Second, 1), newSessions(time.Second, 1)
	for _, turn := range []uint32{0, 1, 1<<32 - 1} {
		token := table.token(77, turn)
		sid, got, ok := table.read(token)
		require.True(t, ok)
		require.EqualValues(t, 77, sid)
		require.Equal(t, turn, got)
		_, _, ok = other.read(token)
		require.False(t, ok, "another server's")
		for i := range len(token) {
			for _, c := range "A_\n\r=\x00\xff" {
				twisted := token[:i] + string(c) + token[i+1:]
				if _, _, ok := table.read(twisted); ok {
					assert.Equal(t, token, twisted)
				}
			}
			_, _, ok = table.read(token[:i])
			require.False(t, ok, "its first %d letters", i)
			_, _, ok = table.read(token[:i] + strings.Repeat("\n", len(token)-i))
			require.False(t, ok, "its first %d letters, and line ends", i)
		}
	}
}

// FuzzToken: whatever a peer sends as a token, it is refused or one that this server has signed.
func FuzzToken(f *testing.F) {
	table := newSessions(time.Second, 1)
	table.key = make([]byte, len(table.key)) // as in every process of the fuzzer
	for _, s := range []string{"", "x", table.token(1, 0), table.token(1<<64-1, 1<<32-1), strings.Repeat("\n", 38), strings.Repeat("A", 38)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		sid, turn, ok := table.read(token)
		if ok && table.token(sid, turn) != token {
			t.Fatalf("%q is taken for %q", token, table.token(sid, turn))
		}
	})
}
