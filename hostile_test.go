package volley_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
)

// attack is a frame that no honest client sends, and the code that it is closed with.
type attack struct {
	name  string
	frame []byte
	code  codec.Code
	state string // what goes before: "new": nothing; "open": HELLO; else HELLO and JOIN
}

// inEvent puts a payload into an otherwise good VOLLEY to channel 0 that emits "line".
func inEvent(payload []byte) []byte {
	packet := append(codec.AppendNamedEvent(nil, "line"), payload...)
	buf := append(make([]byte, codec.MaxPrefix), packet...)
	return buf[codec.PutVolley(buf, codec.MaxPrefix, 0, 1, 0, 1):]
}

func attacks(t *testing.T) []attack {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		require.NoError(t, err)
		return b
	}
	list := []attack{
		{"array length bomb", inEvent(unhex("dd ffffffff")), codec.Malformed, ""},
		{"map length bomb", inEvent(unhex("df ffffffff")), codec.Malformed, ""},
		{"binary length bomb", inEvent(unhex("c6 40000000")), codec.Malformed, ""},
		{"string length bomb", inEvent(unhex("db 7fffffff")), codec.Malformed, ""},
		{"extension bomb", inEvent(unhex("c9 ffffffff 01")), codec.Malformed, ""},
		{"timestamp that hides a map", inEvent(unhex("d7 ff df ffffffff 000000")), codec.BadPayload, ""},
		{"foreign extension", inEvent(unhex("d4 05 00")), codec.Malformed, ""},
		{"nesting", inEvent(append(bytes.Repeat([]byte{0x91}, 15<<10), 0xc0)), codec.TooComplex, ""},
		{"nested array headers", inEvent(bytes.Repeat(unhex("dc 1000"), 5<<10)), codec.TooComplex, ""},
		{"many values", inEvent(append(unhex("dc 2000"), make([]byte, 0x2000)...)), codec.TooComplex, ""},
		{"wrong type", inEvent(unhex("2a")), codec.BadPayload, ""},
		{"invalid UTF-8", inEvent(unhex("a2 c328")), codec.Malformed, ""},
		{"trailing bytes", append(inEvent(unhex("a1 61")), 0xc0), codec.Malformed, ""},
		{"truncated", inEvent(unhex("a5 61")), codec.Malformed, ""},
		{"not an array", unhex("80"), codec.Malformed, ""},
		{"unknown type", unhex("91 63"), codec.UnexpectedFrame, ""},
		{"a second HELLO", codec.AppendHello(nil, nil), codec.UnexpectedFrame, ""},
		{"a frame of the server's", codec.AppendResumed(nil, 0, 0), codec.UnexpectedFrame, ""},
		{"channel out of range", codec.AppendJoin(nil, 1000, codec.JoinOrCreate, "lobby", nil), codec.BadChannel, ""},
		{"channel in use", codec.AppendJoin(nil, 0, codec.JoinOrCreate, "lobby", nil), codec.BadChannel, ""},
		{"gap in the sequence", unhex("95 00 00 05 00 91 92 a4 6c696e65 a1 61"), codec.BadSequence, ""},
		{"oversized", inEvent(append(unhex("c6 00010000"), make([]byte, 65536)...)), codec.TooBig, ""},
	}
	var golden struct {
		Bad []struct {
			Name, Hex, State, Layer string
			Code                    codec.Code
		}
	}
	file, err := os.ReadFile("testdata/wire/frames.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(file, &golden))
	require.NotEmpty(t, golden.Bad)
	for _, bad := range golden.Bad {
		if bad.Layer != "payload" { // those need a handler of another type; package codec tests them
			list = append(list, attack{"golden: " + bad.Name, unhex(bad.Hex), bad.Code, bad.State})
		}
	}
	return list
}

// Every attack is answered by its code, costs the server little memory, and an honest client in the same room misses nothing.
func TestHostileFrames(t *testing.T) {
	srv := serve(t, volley.Config{}, newLobbyKind())
	honest, _, lines := joinLobby(t, srv.dial(t, "ws", nil))
	for _, transport := range []string{"ws", "tcp"} {
		for _, a := range attacks(t) {
			t.Run(transport+"/"+a.name, func(t *testing.T) {
				before := heap()
				raw := dialRaw(t, srv, transport)
				if a.state != "new" {
					raw.send(codec.AppendHello(nil, nil))
				}
				if a.state != "new" && a.state != "open" {
					raw.send(codec.AppendJoin(nil, 0, codec.JoinOrCreate, "lobby", nil))
				}
				raw.send(a.frame)
				assert.Equal(t, a.code, raw.end(), "got %s", a.code)
				assert.Less(t, heap()-before, int64(2<<20), "bytes that the attack made the process hold")
				require.NoError(t, client.Emit(honest, line, a.name))
				assert.Equal(t, a.name, next(t, lines))
			})
		}
	}
}

// heap returns how many bytes of the heap are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// raw is a connection that sends whatever it is told.
type raw struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	ws   bool
}

func dialRaw(t *testing.T, srv *running, transport string) *raw {
	t.Helper()
	addr := srv.Addr()
	if transport == "tcp" {
		addr = srv.TCPAddr()
	}
	conn, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	r := &raw{t: t, conn: conn, in: bufio.NewReader(conn), ws: transport == "ws"}
	if !r.ws {
		return r
	}
	_, err = fmt.Fprintf(conn, "GET /volley HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	require.NoError(t, err)
	for {
		line, err := r.in.ReadString('\n')
		require.NoError(t, err)
		if line == "\r\n" {
			return r
		}
	}
}

// send sends one frame. The server may have closed already.
func (r *raw) send(frame []byte) {
	var head []byte
	switch n := len(frame); {
	case !r.ws:
		head = binary.BigEndian.AppendUint32(nil, uint32(n))
	case n < 126:
		head = []byte{0x82, 0x80 | byte(n), 0, 0, 0, 0}
	case n < 1<<16:
		head = []byte{0x82, 0x80 | 126, byte(n >> 8), byte(n), 0, 0, 0, 0}
	default:
		head = append(binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, uint64(n)), 0, 0, 0, 0)
	}
	_, _ = r.conn.Write(append(head, frame...))
}

// receive returns the next frame; nil at the end.
func (r *raw) receive() []byte {
	head := make([]byte, 4)
	n := 0
	if r.ws {
		if _, err := io.ReadFull(r.in, head[:2]); err != nil {
			return nil
		}
		if head[0] != 0x82 {
			return nil // the close frame
		}
		if n = int(head[1]); n == 126 {
			_, _ = io.ReadFull(r.in, head[2:])
			n = int(binary.BigEndian.Uint16(head[2:]))
		}
	} else {
		if _, err := io.ReadFull(r.in, head); err != nil {
			return nil
		}
		n = int(binary.BigEndian.Uint32(head))
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r.in, frame); err != nil {
		return nil
	}
	return frame
}

// end reads to the connection's end and returns the code of its BYE; 0 if there was none.
func (r *raw) end() (code codec.Code) {
	for frame := r.receive(); frame != nil; frame = r.receive() {
		in := codec.NewReader(frame, codec.ServerLimits)
		if kind, n, err := in.Frame(); err == nil && kind == codec.FrameBye {
			bye, err := in.Reasoned(kind, n)
			require.NoError(r.t, err)
			code = bye.Code
		}
	}
	_ = r.conn.Close()
	return code
}
