package volley_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// lobby is an event-driven game that tells its clients who they are.
type lobby struct{ room *room.Room }

const (
	who   room.Event[string]        = "who"
	line  room.Event[string]        = "line"
	upper room.Call[string, string] = "upper"
	fail  room.Call[string, string] = "fail"
)

func (l *lobby) Join(c *room.Client) error {
	name, _ := room.User[string](c)
	room.Emit(c, who, name)
	return nil
}
func (l *lobby) Leave(*room.Client)               {}
func (l *lobby) Line(_ *room.Client, text string) { room.Emit(l.room, line, text) }

func newLobbyKind() *room.Kind[*lobby] {
	k := room.Define("lobby", func(r *room.Room) *lobby { return &lobby{r} }, room.Config{})
	room.On(k, line, (*lobby).Line)
	room.Handle(k, upper, func(_ *lobby, _ *room.Client, s string) (string, error) { return strings.ToUpper(s), nil })
	room.Handle(k, fail, func(_ *lobby, _ *room.Client, s string) (string, error) { return "", errors.New("no " + s) })
	return k
}

// joinLobby joins and returns what the lobby sends.
func joinLobby(t *testing.T, c *client.Client) (r *client.Room, names, lines chan string) {
	t.Helper()
	names, lines = make(chan string, 10), make(chan string, 10)
	r, err := c.JoinOrCreate(within(t), "lobby", nil, func(r *client.Room) {
		client.On(r, who, func(s string, _ client.Meta) { names <- s })
		client.On(r, line, func(s string, _ client.Meta) { lines <- s })
	})
	require.NoError(t, err)
	return r, names, lines
}

func next[T any](t *testing.T, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(20 * time.Second):
		require.Fail(t, "nothing came")
	}
	return v
}

func TestAuth(t *testing.T) {
	type credentials struct{ Token string }
	srv := serve(t, volley.Config{Auth: func(h *volley.Hello) (any, error) {
		if h.Request != nil {
			if cookie, err := h.Request.Cookie("user"); err == nil {
				return cookie.Value, nil
			}
		}
		c, err := volley.Auth[credentials](h)
		if err != nil {
			return nil, err
		}
		if c.Token != "secret" {
			return nil, errors.New("who are you?")
		}
		return "ann", nil
	}}, newLobbyKind())
	for _, transport := range []string{"ws", "tcp"} {
		_, names, _ := joinLobby(t, srv.dial(t, transport, credentials{"secret"}))
		assert.Equal(t, "ann", next(t, names))
		_, err := client.Dial(within(t), srv.url(transport), client.Config{Auth: credentials{"guess"}})
		var refused *client.CloseError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, codec.Unauthorized, refused.Code)
		assert.Equal(t, "who are you?", refused.Reason)
	}
	withCookie, err := client.Dial(within(t), srv.url("ws"), client.Config{Header: http.Header{"Cookie": {"user=bob"}}})
	require.NoError(t, err)
	defer withCookie.Close()
	_, names, _ := joinLobby(t, withCookie)
	assert.Equal(t, "bob", next(t, names))
}

func TestRequests(t *testing.T) {
	bothWays(t, func(t *testing.T, cfg volley.Config) {
		srv := serve(t, cfg, newLobbyKind())
		for _, transport := range []string{"ws", "tcp"} {
			r, _, _ := joinLobby(t, srv.dial(t, transport, nil))
			got, err := client.Request(within(t), r, upper, "hello")
			require.NoError(t, err)
			assert.Equal(t, "HELLO", got)
			_, err = client.Request(within(t), r, fail, "luck")
			assert.ErrorContains(t, err, "no luck")
		}
	})
}

func TestSeveralRoomsOverOneConnection(t *testing.T) {
	srv := serve(t, volley.Config{RoomsPerConn: 3}, newLobbyKind())
	c := srv.dial(t, "ws", nil)
	rooms := map[string]chan string{}
	var joined []*client.Room
	for range 3 {
		lines := make(chan string, 10)
		r, err := c.Create(within(t), "lobby", nil, func(r *client.Room) {
			client.On(r, line, func(s string, _ client.Meta) { lines <- s })
		})
		require.NoError(t, err)
		rooms[r.ID()] = lines
		joined = append(joined, r)
	}
	require.Len(t, rooms, 3)
	for _, r := range joined {
		require.NoError(t, client.Emit(r, line, "in "+r.ID()))
	}
	for id, lines := range rooms {
		assert.Equal(t, "in "+id, next(t, lines))
		assert.Empty(t, lines)
	}
	require.NoError(t, joined[1].Leave(within(t)))
	_, err := c.Create(within(t), "lobby", nil)
	assert.NoError(t, err, "the channel of a room that was left is free again")
}

func TestMountedInAMux(t *testing.T) {
	for _, secure := range []bool{false, true} {
		srv := volley.New(volley.Config{}, newLobbyKind())
		mux := http.NewServeMux()
		mux.Handle("/play", srv)
		mux.Handle("/volley.js", srv)
		mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
		web := httptest.NewUnstartedServer(mux)
		scheme := "ws"
		if secure {
			web.StartTLS()
			scheme = "wss"
		} else {
			web.Start()
		}
		cfg := client.Config{Reconnect: once}
		if transport, ok := web.Client().Transport.(*http.Transport); secure && ok {
			cfg.TLS = transport.TLSClientConfig.Clone()
		}
		c, err := client.Dial(within(t), scheme+"://"+web.Listener.Addr().String()+"/play", cfg)
		require.NoError(t, err)
		r, _, lines := joinLobby(t, c)
		require.NoError(t, client.Emit(r, line, "over the user's own server"))
		assert.Equal(t, "over the user's own server", next(t, lines))
		assert.Contains(t, get(t, web.Client(), web.URL+"/volley.js"), "export")
		assert.Equal(t, "hello", get(t, web.Client(), web.URL+"/hello"))

		require.NoError(t, srv.Close(within(t)))
		<-c.Done()
		web.Close()
	}
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	c.Jar, _ = cookiejar.New(nil)
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return string(body)
}

func TestOnePortServesPagesAndTheClient(t *testing.T) {
	srv := serve(t, volley.Config{Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "page "+r.URL.Path)
	})}, newLobbyKind())
	base := "http://" + srv.Addr().String()
	web := &http.Client{Transport: &http.Transport{}}
	defer web.CloseIdleConnections()
	assert.Equal(t, "page /", get(t, web, base+"/"))
	assert.Equal(t, string(volley.ClientJS), get(t, web, base+"/volley.js"))
	joinLobby(t, srv.dial(t, "ws", nil))
}

// Run drains: what was emitted before the end arrives, then the room's end, then the close code that says to come back.
func TestRunDrains(t *testing.T) {
	for _, transport := range []string{"ws", "tcp"} {
		srv := volley.New(volley.Config{Addr: "127.0.0.1:0", TCPAddr: "127.0.0.1:0"}, newLobbyKind())
		require.NoError(t, srv.Listen())
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- srv.Run(ctx) }()
		c := (&running{Server: srv}).dial(t, transport, nil)
		r, _, lines := joinLobby(t, c)
		left := make(chan codec.Code, 1)
		r.OnLeft(func(code codec.Code, _ string) { left <- code })
		require.NoError(t, client.Emit(r, line, "last words"))
		require.Equal(t, "last words", next(t, lines))
		room.Emit(srv, line, "closing time")
		stop()
		assert.Equal(t, "closing time", next(t, lines))
		assert.Equal(t, codec.RoomClosed, next(t, left))
		<-c.Done()
		var why *client.CloseError
		require.ErrorAs(t, c.Err(), &why)
		assert.Equal(t, codec.GoingAway, why.Code)
		require.NoError(t, <-ended)
		assert.Zero(t, srv.Stats().Net.Open)
	}
}

func TestListenSaysWhatToDo(t *testing.T) {
	first := serve(t, volley.Config{}, newLobbyKind())
	second := volley.New(volley.Config{Addr: first.Addr().String()}, newLobbyKind())
	err := second.Run(context.Background())
	assert.ErrorContains(t, err, "choose another address")
	require.NoError(t, second.Close(within(t)))
}
