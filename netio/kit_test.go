package netio

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// hub is the Handler of the tests: every connection gets a recorder, which echoes.
type hub struct {
	open     func(c *Conn, r *http.Request, first []byte) (Session, error) // nil: the default
	message  func(s *recorder, frame []byte) error                         // nil: echo
	sessions chan *recorder                                                // each, when Open returns
}

func newHub() *hub { return &hub{sessions: make(chan *recorder, 1024)} }

func (h *hub) Open(c *Conn, r *http.Request, first []byte) (Session, error) {
	if h.open != nil {
		return h.open(c, r, first)
	}
	s := &recorder{h: h, c: c, first: string(first), closed: make(chan struct{}), drained: make(chan struct{}, 1024)}
	h.sessions <- s
	return s, nil
}

type recorder struct {
	h       *hub
	c       *Conn
	first   string
	drained chan struct{}
	closed  chan struct{}

	mu        sync.Mutex
	inMessage bool
	messages  []string
	err       error
	closes    int
	after     int // calls after Closed
}

func (s *recorder) Message(frame []byte) error {
	s.mu.Lock()
	if s.closes > 0 || s.inMessage {
		s.after++
	}
	s.inMessage = true
	s.messages = append(s.messages, string(frame))
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inMessage = false
		s.mu.Unlock()
	}()
	if s.h.message != nil {
		return s.h.message(s, frame)
	}
	_ = s.c.Send(append(make([]byte, Headroom), frame...), Headroom)
	return nil
}

func (s *recorder) Drained() {
	s.mu.Lock()
	if s.closes > 0 {
		s.after++
	}
	s.mu.Unlock()
	select {
	case s.drained <- struct{}{}:
	default:
	}
}

func (s *recorder) Closed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inMessage {
		s.after++
	}
	s.err = err
	s.closes++
	if s.closes == 1 {
		close(s.closed)
	}
}

// wantClosed waits for Closed and checks its code; 0: ErrLost.
func (s *recorder) wantClosed(t *testing.T, code codec.Code) {
	t.Helper()
	select {
	case <-s.closed:
	case <-time.After(5 * time.Second):
		require.Fail(t, "Closed was not called")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == 0 {
		require.ErrorIs(t, s.err, ErrLost)
		return
	}
	var e *codec.Error
	require.ErrorAs(t, s.err, &e)
	require.Equal(t, code, e.Code, "%v", s.err)
}

func (s *recorder) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.messages...)
}

// next returns the next session that was opened.
func (h *hub) next(t *testing.T) *recorder {
	t.Helper()
	select {
	case s := <-h.sessions:
		return s
	case <-time.After(5 * time.Second):
		require.Fail(t, "no session was opened")
		return nil
	}
}

// mode is a way into an Engine.
type mode struct {
	name   string
	tcp    bool
	secure bool
	mount  bool // in an http.Server
}

var modes = []mode{
	{name: "ws"},
	{name: "wss", secure: true},
	{name: "tcp", tcp: true},
	{name: "tcp+tls", tcp: true, secure: true},
	{name: "mounted", mount: true},
	{name: "mounted tls", mount: true, secure: true},
}

// server is an Engine that listens.
type server struct {
	*Engine
	mode
	addr string
	hub  *hub
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// serve starts an Engine for a test; the test's end shuts it down and checks that no session was called wrongly.
func serve(t testing.TB, m mode, cfg Config, h *hub) *server {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	e, err := New(cfg, h)
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveOn(t, e, ln, m, h)
}

func serveOn(t testing.TB, e *Engine, ln net.Listener, m mode, h *hub) *server {
	t.Helper()
	var conf *stdtls.Config
	if m.secure {
		conf = &stdtls.Config{Certificates: []stdtls.Certificate{certificate(t)}}
	}
	done := make(chan error, 1)
	stop := func() {}
	switch {
	case m.mount:
		srv := &http.Server{Handler: e, ErrorLog: slog.NewLogLogger(quiet().Handler(), 0)}
		stop = func() { _ = srv.Close() }
		inner := ln
		if m.secure {
			inner = stdtls.NewListener(ln, conf)
		}
		go func() { _ = srv.Serve(inner); done <- nil }()
	case m.tcp:
		go func() { done <- e.ServeTCP(ln, conf) }()
	default:
		pages := http.NewServeMux()
		pages.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "page over tls: %v", r.TLS != nil)
		})
		pages.Handle("/other", e)
		go func() { done <- e.Serve(ln, conf, "/volley", pages) }()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = e.Shutdown(ctx)
		stop()
		assert.NoError(t, <-done)
	})
	return &server{Engine: e, mode: m, addr: ln.Addr().String(), hub: h}
}

var certOnce = sync.OnceValues(func() (stdtls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return stdtls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

func certificate(t testing.TB) stdtls.Certificate {
	c, err := certOnce()
	require.NoError(t, err)
	return c
}

// peer is a client that writes and reads frames by hand.
type peer struct {
	net.Conn
	t   testing.TB
	tcp bool
	r   *bufio.Reader
}

const upgradeRequest = "GET /volley HTTP/1.1\r\nHost: game.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// dial connects and, on TLS, shakes hands.
func (s *server) dial(t testing.TB) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	if s.secure {
		nc = stdtls.Client(nc, &stdtls.Config{InsecureSkipVerify: true})
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{Conn: nc, t: t, tcp: s.tcp, r: bufio.NewReader(nc)}
}

// shake is dial, and the upgrade; what is given goes out with its request.
func (s *server) shake(t testing.TB, with ...byte) *peer {
	t.Helper()
	p := s.dial(t)
	if s.tcp {
		p.write(with)
		return p
	}
	p.write(append([]byte(upgradeRequest+"\r\n"), with...))
	res, err := http.ReadResponse(p.r, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", res.Header.Get("Sec-WebSocket-Accept"))
	return p
}

// connect is shake, and a first frame; it returns the server's session too.
func (s *server) connect(t *testing.T) (*peer, *recorder) {
	t.Helper()
	p := s.shake(t)
	p.send("hello")
	return p, s.hub.next(t)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	_, err := p.Write(b)
	require.NoError(p.t, err)
}

// frame is a message as this peer's transport carries it.
func (p *peer) frame(body string) []byte {
	if p.tcp {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	return masked(0x80|opBinary, body)
}

func (p *peer) send(body string) {
	p.t.Helper()
	p.write(p.frame(body))
}

// masked is a WebSocket frame of a client with the first byte b0 and the shortest length.
func masked(b0 byte, body string) []byte {
	b := []byte{b0}
	switch n := len(body); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return maskInto(b, body)
}

func maskInto(b []byte, body string) []byte {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i := range len(body) {
		b = append(b, body[i]^key[i&3])
	}
	return b
}

// read returns the next frame: its WebSocket opcode (TCP: binary) and its body.
func (p *peer) read() (op byte, body string, err error) {
	var h [8]byte
	if p.tcp {
		if _, err = io.ReadFull(p.r, h[:4]); err != nil {
			return 0, "", err
		}
		b := make([]byte, binary.BigEndian.Uint32(h[:]))
		_, err = io.ReadFull(p.r, b)
		return opBinary, string(b), err
	}
	if _, err = io.ReadFull(p.r, h[:2]); err != nil {
		return 0, "", err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 != 0 {
		return 0, "", errors.New("the server fragmented, masked or set a reserved bit")
	}
	op = h[0] & 0x0f
	n := uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(p.r, h[:2])
		n = uint64(binary.BigEndian.Uint16(h[:]))
	case 127:
		_, err = io.ReadFull(p.r, h[:8])
		n = binary.BigEndian.Uint64(h[:])
	}
	if err != nil {
		return 0, "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(p.r, b)
	return op, string(b), err
}

// want reads one message.
func (p *peer) want(body string) {
	p.t.Helper()
	op, got, err := p.read()
	require.NoError(p.t, err)
	require.Equal(p.t, byte(opBinary), op)
	require.Equal(p.t, body, got)
}

// wantEnd reads up to the end of the connection: messages, BYE with the code, on WebSocket a close frame with the code, and
// then a proper end of the stream.
func (p *peer) wantEnd(code codec.Code) {
	p.t.Helper()
	last := ""
	for {
		op, body, err := p.read()
		if p.tcp && err != nil {
			require.ErrorIs(p.t, err, io.EOF)
			break
		}
		require.NoError(p.t, err)
		if op == opClose {
			require.GreaterOrEqual(p.t, len(body), 2)
			require.Equal(p.t, code, codec.Code(binary.BigEndian.Uint16([]byte(body))), "close frame: %q", body)
			_, _, err = p.read()
			require.ErrorIs(p.t, err, io.EOF)
			break
		}
		if op == opBinary {
			last = body
		}
	}
	r := codec.NewReader([]byte(last), codec.ServerLimits)
	ft, n, err := r.Frame()
	require.NoError(p.t, err)
	require.Equal(p.t, codec.FrameBye, ft)
	bye, err := r.Reasoned(ft, n)
	require.NoError(p.t, err)
	require.Equal(p.t, code, bye.Code, "BYE: %+v", bye)
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			require.Fail(t, "did not happen: "+what)
		}
	}
}
