package netio

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

func tcpFrame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

var hostileTCP = []struct {
	name  string
	input []byte
	code  codec.Code
}{
	{"a length of 4 GiB", []byte{0xff, 0xff, 0xff, 0xff, 1}, codec.TooBig},
	{"longer than the limit by one", []byte{0, 1, 0, 1}, codec.TooBig},
	{"length 0", []byte{0, 0, 0, 0}, codec.Malformed},
	{"an HTTP request", []byte("GET / HTTP/1.1\r\n\r\n"), codec.TooBig},
}

func TestTCPReaderRefuses(t *testing.T) {
	for _, tt := range hostileTCP {
		for name, sizes := range map[string][]byte{"whole": nil, "byte by byte": make([]byte, len(tt.input))} {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				got, err := readAll(new(tcpReader), new(bufPool), 1<<16, tt.input, sizes)
				require.Empty(t, got)
				var e *codec.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, tt.code, e.Code)
			})
		}
	}
}

func TestTCPReaderMemory(t *testing.T) {
	pool, r := new(bufPool), new(tcpReader)
	feed := func(in []byte) {
		ev, _, _, err := r.next(in, pool, 1<<16)
		require.NoError(t, err)
		require.Equal(t, evMore, ev)
	}
	feed([]byte{0, 1})
	feed([]byte{0, 0})
	require.Nil(t, r.buf, "a declared length allocates nothing")
	feed([]byte{1})
	require.LessOrEqual(t, cap(*r.buf), 64)
	ev, p, _, err := r.next(make([]byte, 1<<16-1), pool, 1<<16)
	require.NoError(t, err)
	require.Equal(t, evMessage, ev)
	require.Len(t, p, 1<<16)
	feed(nil)
	require.Nil(t, r.buf, "a handled frame is given back")
}

// tcpFrames is another way to say what an input means.
func tcpFrames(b []byte, limit int) (got []happening, failed bool) {
	for len(b) >= 4 {
		n := uint64(binary.BigEndian.Uint32(b))
		if n == 0 || n > uint64(limit) {
			return got, true
		}
		if uint64(len(b)-4) < n {
			return got, false
		}
		got = append(got, happening{evMessage, string(b[4 : 4+n])})
		b = b[4+n:]
	}
	return got, false
}

func FuzzTCPReader(f *testing.F) {
	for _, tt := range hostileTCP {
		f.Add(tt.input, []byte{0, 1, 2, 3}, uint16(300))
	}
	f.Add(concat(tcpFrame("a"), tcpFrame(strings.Repeat("b", 300))), []byte{3, 0, 200}, uint16(1000))
	f.Fuzz(func(t *testing.T, input, sizes []byte, limit uint16) {
		pool := new(bufPool)
		want, failed := tcpFrames(input, int(limit)+1)
		whole, err := readAll(new(tcpReader), pool, int(limit)+1, input, nil)
		require.Equal(t, want, whole)
		require.Equal(t, failed, err != nil)
		split, splitErr := readAll(new(tcpReader), pool, int(limit)+1, input, sizes)
		require.Equal(t, whole, split)
		require.Equal(t, err, splitErr)
	})
}
