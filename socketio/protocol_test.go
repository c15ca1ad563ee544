package socketio_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/socketio"
)

// Tests of what the two protocol documents say, by clients that send what they are told: docs/engine.io-protocol/v4-current.md
// and docs/socket.io-protocol/v5-current.md of github.com/socketio/socket.io, and the cases of the test suites beside them.

// suite is a server as the test suites of the protocols want it.
type suite struct {
	*site
	t *testing.T
	*http.Client
}

func newSuite(t *testing.T, cfg socketio.Config) *suite {
	t.Helper()
	s := newSiteOf(t, cfg, func(s *site) {
		s.serveSuite(s.io.Namespace)
		s.serveSuite(s.io.Of("/custom"))
		refusing := s.io.Of("/refusing")
		refusing.Use(admit)
		s.serveSuite(refusing)
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &suite{site: s, t: t, Client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

func (s *site) serveSuite(ns *socketio.Namespace) {
	ns.OnConnect(func(s *socketio.Socket) {
		if s.Recovered() {
			return
		}
		var auth map[string]any
		if err := s.Handshake().Auth(&auth); err != nil {
			panic(err)
		}
		if auth == nil {
			auth = map[string]any{}
		}
		s.Emit("auth", auth)
	})
	ns.OnDisconnect(func(c *socketio.Socket, reason string) { s.note("ended "+c.ID(), reason) })
	ns.On("message", func(m *socketio.Message) { m.Socket.Emit("message-back", args(m)...) })
	ns.On("message-with-ack", func(m *socketio.Message) { m.Ack(args(m)...) })
	ns.On("ask", func(m *socketio.Message) {
		m.Socket.Ask(10*time.Second, "question", func(r *socketio.Reply, err error) {
			if err == nil {
				m.Socket.Emit("answered", reply(r)...)
			}
		}, args(m)...)
	})
}

const (
	polling   = "?EIO=4&transport=polling"
	websocket = "?EIO=4&transport=websocket"
)

// do makes a request and returns its answer with the body, which it has read.
func (s *suite) do(method, query, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	res, text, err := s.try(context.Background(), method, query, strings.NewReader(body), header...)
	require.NoError(s.t, err)
	return res, text
}

// try is do, for requests that may fail.
func (s *suite) try(ctx context.Context, method, query string, body io.Reader, header ...string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/socket.io/"+query, body)
	if err != nil {
		return nil, "", err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

// opened is the payload of an open packet.
type opened struct {
	SID          string
	Upgrades     []string
	PingInterval int
	PingTimeout  int
	MaxPayload   int
}

func readOpened(t *testing.T, packet string) (o opened) {
	t.Helper()
	require.True(t, strings.HasPrefix(packet, "0{"), "an open packet: %s", packet)
	dec := json.NewDecoder(strings.NewReader(packet[1:]))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&o))
	return o
}

// poller is a session that polls.
type poller struct {
	*suite
	sid string
}

// open opens a session that polls.
func (s *suite) open() *poller {
	s.t.Helper()
	res, body := s.do("GET", polling, "")
	require.Equal(s.t, 200, res.StatusCode)
	return &poller{s, readOpened(s.t, body).SID}
}

func (p *poller) query() string { return polling + "&sid=" + url.QueryEscape(p.sid) }

// get polls.
func (p *poller) get() (int, string) {
	p.t.Helper()
	res, body := p.do("GET", p.query(), "")
	return res.StatusCode, body
}

// post sends packets, and wants them to be taken.
func (p *poller) post(packets ...string) {
	p.t.Helper()
	res, body := p.do("POST", p.query(), strings.Join(packets, "\x1e"), "Content-Type", "text/plain;charset=UTF-8")
	require.Equal(p.t, 200, res.StatusCode)
	require.Equal(p.t, "ok", body)
}

// want polls until all these packets have come, and nothing else but pings.
func (p *poller) want(packets ...string) {
	p.t.Helper()
	var got []string
	for len(got) < len(packets) {
		status, body := p.get()
		require.Equal(p.t, 200, status)
		for _, packet := range strings.Split(body, "\x1e") {
			if packet == "2" {
				p.post("3")
			} else {
				got = append(got, packet)
			}
		}
	}
	require.Equal(p.t, packets, got)
}

// connect connects to the main namespace.
func (p *poller) connect() {
	p.t.Helper()
	p.post("40")
	for packets := 0; packets < 2; {
		status, body := p.get()
		require.Equal(p.t, 200, status)
		packets += 1 + strings.Count(body, "\x1e")
	}
}

// works sees that the session is served.
func (p *poller) works() {
	p.t.Helper()
	p.post(`42["message","works"]`)
	p.want(`42["message-back","works"]`)
}

// ended sees that the session is over for requests.
func (p *poller) ended() {
	p.t.Helper()
	status, body := p.get()
	assert.Equal(p.t, 400, status, body)
	res, body := p.do("POST", p.query(), "3")
	assert.Equal(p.t, 400, res.StatusCode, body)
}

// pending begins a GET and returns how it ends.
func (p *poller) pending(ctx context.Context) <-chan string {
	ends := make(chan string, 1)
	go func() {
		res, body, err := p.try(ctx, "GET", p.query(), nil)
		if err != nil {
			body = "error"
		} else if res.StatusCode != 200 {
			body = res.Status
		}
		ends <- body
	}()
	time.Sleep(100 * time.Millisecond) // until the server has it
	return ends
}

// wire is a WebSocket.
type wire struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	code int // of the close frame; 0: none has come
}

// upgrade asks for a WebSocket. If it is refused there is only the status.
func (s *suite) upgrade(query string, header ...string) (w *wire, status int) {
	s.t.Helper()
	addr := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", addr)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	request := "GET /socket.io/" + query + " HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for i := 0; i < len(header); i += 2 {
		request += header[i] + ": " + header[i+1] + "\r\n"
	}
	_, err = conn.Write([]byte(request + "\r\n"))
	require.NoError(s.t, err)
	w = &wire{t: s.t, conn: conn, in: bufio.NewReader(conn)}
	res, err := http.ReadResponse(w.in, nil)
	require.NoError(s.t, err)
	if res.StatusCode != http.StatusSwitchingProtocols {
		res.Body.Close()
		return nil, res.StatusCode
	}
	return w, res.StatusCode
}

// dial opens a session on a WebSocket.
func (s *suite) dial() *wire {
	s.t.Helper()
	w, status := s.upgrade(websocket)
	require.Equal(s.t, 101, status)
	readOpened(s.t, w.text())
	return w
}

// dialed is dial, connected to the main namespace.
func (s *suite) dialed() *wire {
	s.t.Helper()
	w := s.dial()
	w.send("40")
	w.sid("40")
	w.want(`42["auth",{}]`)
	return w
}

func (w *wire) frame(b0 byte, payload string) {
	b := []byte{b0, 0x80}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, 1, 2, 3, 4)
	for i := range len(payload) {
		b = append(b, payload[i]^byte(i%4+1))
	}
	_, _ = w.conn.Write(b) // the server may have closed already
}

// send sends packets as texts.
func (w *wire) send(packets ...string) {
	for _, p := range packets {
		w.frame(0x81, p)
	}
}

// sendBinary sends binary messages.
func (w *wire) sendBinary(messages ...string) {
	for _, m := range messages {
		w.frame(0x82, m)
	}
}

// next returns the next message; false: the connection has ended.
func (w *wire) next() (message string, isText, ok bool) {
	for {
		head := w.bytes(2)
		if head == nil {
			return "", false, false
		}
		n := int(head[1])
		switch n {
		case 126:
			n = int(binary.BigEndian.Uint16(w.bytes(2)))
		case 127:
			n = int(binary.BigEndian.Uint64(w.bytes(8)))
		}
		b := w.bytes(n)
		switch {
		case head[0] == 0x88:
			if len(b) >= 2 {
				w.code = int(binary.BigEndian.Uint16(b))
			}
			return "", false, false
		case head[0] == 0x81 || head[0] == 0x82:
			return string(b), head[0] == 0x81, true
		}
	}
}

// bytes reads n bytes; nil if the connection ends before.
func (w *wire) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(w.in, b); err != nil {
		require.NotErrorIs(w.t, err, os.ErrDeadlineExceeded, "neither a message nor an end")
		return nil
	}
	return b
}

// text returns the next packet, which has to be a text.
func (w *wire) text() string {
	w.t.Helper()
	message, isText, ok := w.next()
	require.True(w.t, ok, "the connection ended, code %d", w.code)
	require.True(w.t, isText, "binary: %q", message)
	return message
}

// packet is text, but answers pings.
func (w *wire) packet() string {
	w.t.Helper()
	for {
		message := w.text()
		if message != "2" {
			return message
		}
		w.send("3")
	}
}

// want wants these packets and no others, but pings.
func (w *wire) want(packets ...string) {
	w.t.Helper()
	for _, p := range packets {
		require.Equal(w.t, p, w.packet())
	}
}

// wantBinary wants these binary messages.
func (w *wire) wantBinary(messages ...string) {
	w.t.Helper()
	for _, want := range messages {
		message, isText, ok := w.next()
		require.True(w.t, ok, "the connection ended, code %d", w.code)
		require.False(w.t, isText, "a text: %q", message)
		require.Equal(w.t, want, message)
	}
}

// sid reads the answer to a CONNECT, which begins with prefix, and returns the socket's id.
func (w *wire) sid(prefix string) string {
	w.t.Helper()
	packet := w.packet()
	require.True(w.t, strings.HasPrefix(packet, prefix+"{"), "an answer to CONNECT: %s", packet)
	var v map[string]string
	require.NoError(w.t, json.Unmarshal([]byte(packet[len(prefix):]), &v))
	require.Len(w.t, v, 1)
	require.NotEmpty(w.t, v["sid"])
	return v["sid"]
}

// ends reads to the end of the connection, which has to come, and returns the last packet before it.
func (w *wire) ends() (last string) {
	w.t.Helper()
	for {
		message, _, ok := w.next()
		if !ok {
			return last
		}
		last = message
	}
}

// works sees that a socket of the main namespace is served.
func (w *wire) works() {
	w.t.Helper()
	w.send(`42["message","works"]`)
	w.want(`42["message-back","works"]`)
}

// noted waits until the site has noted something.
func (s *suite) noted(key string) (v any) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		var ok bool
		v, ok = s.notes[key]
		return ok
	}, 20*time.Second, 5*time.Millisecond, key)
	return v
}

// reason waits for a socket's end.
func (s *suite) reason(id string) any {
	s.t.Helper()
	return s.noted("ended " + id)
}
