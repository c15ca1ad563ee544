package netio

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
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
	dialled  sync.Mutex                                                    // tells the race detector that a test dials before Open
}

func newHub() *hub { return &hub{sessions: make(chan *recorder, 1024)} }

func (h *hub) Open(c *Conn, r *http.Request, first []byte) (Session, error) {
	h.ordered()
	if h.open != nil {
		return h.open(c, r, first)
	}
	s := &recorder{h: h, c: c, first: string(first), closed: make(chan struct{}), drained: make(chan struct{}, 1024)}
	h.sessions <- s
	return s, nil
}

// ordered is called where a test dials and where Open is called: what comes over a socket orders nothing for the race detector.
func (h *hub) ordered() {
	h.dialled.Lock()
	defer h.dialled.Unlock()
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
	poller bool // Open is called on a poller
}

var modes = []mode{
	{name: "ws"},
	{name: "wss", secure: true},
	{name: "tcp", tcp: true},
	{name: "tcp+tls", tcp: true, secure: true},
	{name: "mounted", mount: true},
	{name: "mounted tls", mount: true, secure: true},
	{name: "ws, opened on a poller", poller: true},
	{name: "tcp, opened on a poller", tcp: true, poller: true},
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
	cfg.OpenOnPoller = cfg.OpenOnPoller || m.poller
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

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			require.Fail(t, "did not happen: "+what)
		}
	}
}
