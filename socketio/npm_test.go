package socketio_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
)

// The socket.io-client of npm against servers in this process: testdata/npm has what it does, npm_app_test.go what servers do.

// matrix is every way in which a client can speak to a server.
var matrix = []struct {
	name, parser string
	transports   []string
}{
	{"default/polling", "default", []string{"polling"}},
	{"default/websocket", "default", []string{"websocket"}},
	{"default/upgrade", "default", []string{"polling", "websocket"}},
	{"msgpack/polling", "msgpack", []string{"polling"}},
	{"msgpack/websocket", "msgpack", []string{"websocket"}},
	{"msgpack/upgrade", "msgpack", []string{"polling", "websocket"}},
}

func TestClientOfNPM(t *testing.T) {
	needNPM(t)
	for _, m := range matrix {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			runNPM(t, m.parser, m.transports, serveSites(t, newSite))
		})
	}
}

// TestClientOfNPMOnPages has the servers among the pages of a Volley server.
func TestClientOfNPMOnPages(t *testing.T) {
	needNPM(t)
	t.Parallel()
	runNPM(t, "default", []string{"polling", "websocket"}, serveSites(t, newSiteOnPages),
		"connect", "namespaces", "upgrade", "echo", "long", "lost", "heartbeats", "recovery", "shuts down")
}

// needNPM sees that Node and the packages of web/package.json are there.
func needNPM(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: this test needs Node 18 or newer and npm (apt-get install nodejs npm)", tool)
		}
	}
	if _, err := os.Stat("../web/node_modules/socket.io-client/package.json"); err == nil {
		return
	}
	ci := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	ci.Dir = "../web"
	if out, err := ci.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// runNPM runs the tests of run.mjs as subtests; if only is given, those that have one of its words in their names.
func runNPM(t *testing.T, parser string, transports []string, servers map[string]string, only ...string) {
	t.Helper()
	if word := os.Getenv("VOLLEY_SOCKETIO_ONLY"); word != "" {
		only = []string{word}
	}
	node := startNode(t, "run.mjs", map[string]any{
		"parser": parser, "transports": transports, "servers": servers, "only": only,
	})
	report(t, node)
}

// report makes subtests of the lines that harness.mjs prints.
func report(t *testing.T, node *node) {
	t.Helper()
	done := false
	for node.lines.Scan() {
		var line struct {
			Name, Error string
			MS          int
			Done        bool
		}
		if json.Unmarshal(node.lines.Bytes(), &line) != nil {
			t.Log(node.lines.Text()) // somebody debugs
			continue
		}
		if line.Done {
			done = true
			continue
		}
		t.Run(line.Name, func(t *testing.T) {
			t.Logf("%d ms", line.MS)
			if line.Error != "" {
				t.Error(line.Error)
			}
		})
	}
	node.wait(t)
	assert.True(t, done, "the script ended before its tests did")
}

// node is a Node process that prints lines.
type node struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func startNode(t *testing.T, script string, env any) *node {
	t.Helper()
	config, err := json.Marshal(env)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	n := &node{cmd: exec.CommandContext(ctx, "node", script)}
	n.cmd.Dir = "testdata/npm"
	n.cmd.Env = append(os.Environ(), "VOLLEY_SOCKETIO="+string(config))
	n.cmd.Stderr = &n.stderr
	n.in, err = n.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := n.cmd.StdoutPipe()
	require.NoError(t, err)
	n.lines = bufio.NewScanner(out)
	n.lines.Buffer(nil, 1<<20)
	require.NoError(t, n.cmd.Start())
	return n
}

// wait waits for the process's end.
func (n *node) wait(t *testing.T) {
	t.Helper()
	if err := n.cmd.Wait(); err != nil || n.stderr.Len() > 0 {
		t.Errorf("node: %v\n%s", err, n.stderr.String())
	}
}

// site is a Socket.IO server with the handlers that the tests talk to, and what it has noted.
type site struct {
	io  *socketio.Server
	url string

	mu    sync.Mutex
	notes map[string]any // guarded by mu
}

func (s *site) note(key string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[key] = v
}

// serveNote answers GET /note?key=…
func (s *site) serveNote(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	v, ok := s.notes[r.URL.Query().Get("key")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(v)
}

// bareSite is a site that nobody can reach yet.
func bareSite(t *testing.T, cfg socketio.Config, handle func(*site)) (*site, http.Handler) {
	cfg.Logger = slog.New(slog.DiscardHandler)
	if os.Getenv("VOLLEY_SOCKETIO_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s := &site{io: socketio.New(cfg), notes: map[string]any{}}
	t.Cleanup(func() { assert.NoError(t, s.io.Close(context.Background())) })
	handle(s)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s.io)
	mux.HandleFunc("/note", s.serveNote)
	return s, mux
}

// newSite serves a site by net/http.
func newSite(t *testing.T, cfg socketio.Config) *site { return newSiteOf(t, cfg, (*site).handle) }

func newSiteOf(t *testing.T, cfg socketio.Config, handle func(*site)) *site {
	s, mux := bareSite(t, cfg, handle)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	s.url = srv.URL
	return s
}

// newSiteOnPages serves a site on the address of a Volley server.
func newSiteOnPages(t *testing.T, cfg socketio.Config) *site {
	s, mux := bareSite(t, cfg, (*site).handle)
	srv := serveVolley(t, volley.Config{Pages: mux})
	s.url = "http://" + srv.Addr().String()
	return s
}

// serveVolley runs a Volley server until the test ends.
func serveVolley(t *testing.T, cfg volley.Config, kinds ...room.AnyKind) *volley.Server {
	t.Helper()
	cfg.Addr, cfg.TCPAddr = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Logger = slog.New(slog.DiscardHandler)
	srv := volley.New(cfg, kinds...)
	require.NoError(t, srv.Listen())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	return srv
}

// serveSites starts one server for each Config that the tests need.
func serveSites(t *testing.T, serve func(*testing.T, socketio.Config) *site) map[string]string {
	urls := map[string]string{}
	for name, cfg := range map[string]socketio.Config{
		"main":     {PingInterval: 3 * time.Second, PingTimeout: 5 * time.Second},
		"recovery": {PingInterval: 3 * time.Second, PingTimeout: 5 * time.Second, Recovery: 20 * time.Second},
		"brief":    {PingInterval: 3 * time.Second, PingTimeout: 5 * time.Second, Recovery: 400 * time.Millisecond},
		"beat":     {PingInterval: 300 * time.Millisecond, PingTimeout: 2 * time.Second},
		"small":    {MaxPayload: 20_000},
		"closing":  {},
		"polls":    {Transports: []string{"polling"}},
		"webs":     {Transports: []string{"websocket"}},
	} {
		cfg.MessagesPerSecond, cfg.BytesPerSecond, cfg.MaxPackets = 20_000, 32<<20, 2000
		urls[name] = serve(t, cfg).url
	}
	return urls
}

// errText is an error as clients are told it.
func errText(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprint(err)
}
