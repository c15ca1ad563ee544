package volley_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// logs collects what a server logs, down to debugging.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}))
}

// A connection that joins and leaves as fast as it can makes a bounded number of rooms; the others do not notice.
func TestJoinsPerSecond(t *testing.T) {
	for _, transport := range []string{"ws", "tcp"} {
		var logged logs
		srv := serve(t, volley.Config{JoinsPerSecond: 5, RoomsPerConn: 2, Logger: logged.logger()}, newLobbyKind())
		hasty := srv.dial(t, transport, nil)
		refused, joined := 0, 0
		start := time.Now()
		for range 50 {
			r, err := hasty.Create(within(t), "lobby", nil)
			if err == nil {
				joined++
				require.NoError(t, r.Leave(within(t)))
				continue
			}
			var left *client.LeftError
			require.ErrorAs(t, err, &left)
			require.Equal(t, codec.RateLimited, left.Code)
			require.Contains(t, left.Reason, "joins")
			refused++
		}
		assert.LessOrEqual(t, joined, 10+int(time.Since(start).Seconds()*5)+1, "a burst of twice as many, and then five a second")
		assert.GreaterOrEqual(t, joined, 10)
		assert.Equal(t, uint64(refused), srv.Stats().HastyJoins)
		assert.Equal(t, 1, strings.Count(logged.String(), "limit=JoinsPerSecond"))
		joinLobby(t, srv.dial(t, transport, nil))
		time.Sleep(300 * time.Millisecond)
		_, err := hasty.Create(within(t), "lobby", nil)
		assert.NoError(t, err, "it is let in again, over the same connection")
	}
}

// Whoever resumes or has many rooms may join them all at once.
func TestJoinsOfManyRooms(t *testing.T) {
	srv := serve(t, volley.Config{JoinsPerSecond: 1, RoomsPerConn: 16}, newLobbyKind())
	c := srv.dial(t, "ws", nil)
	for range 16 {
		_, err := c.Create(within(t), "lobby", nil)
		require.NoError(t, err)
	}
	unlimited := serve(t, volley.Config{JoinsPerSecond: -1}, newLobbyKind()).dial(t, "ws", nil)
	for range 60 {
		r, err := unlimited.Create(within(t), "lobby", nil)
		require.NoError(t, err)
		require.NoError(t, r.Leave(within(t)))
	}
}

// MaxRooms and MaxConns refuse by code, and are counted.
func TestServerIsFull(t *testing.T) {
	srv := serve(t, volley.Config{MaxRooms: 2, MaxConns: 3}, newLobbyKind())
	for range 2 {
		_, err := srv.dial(t, "ws", nil).Create(within(t), "lobby", nil)
		require.NoError(t, err)
	}
	c := srv.dial(t, "tcp", nil)
	_, err := c.Create(within(t), "lobby", nil)
	var left *client.LeftError
	require.ErrorAs(t, err, &left)
	assert.Equal(t, codec.TooManyRooms, left.Code)
	assert.Equal(t, uint64(1), srv.Stats().Rooms.Refused)

	_, err = client.Dial(within(t), srv.url("ws"), client.Config{})
	var upgrade *client.UpgradeError
	require.ErrorAs(t, err, &upgrade)
	assert.Equal(t, http.StatusServiceUnavailable, upgrade.Status)
	_, err = client.Dial(within(t), srv.url("tcp"), client.Config{})
	var closed *client.CloseError
	require.ErrorAs(t, err, &closed)
	assert.Equal(t, codec.Overloaded, closed.Code)
	assert.Equal(t, uint64(2), srv.Stats().Net.Full)
}

// The address limits of Config reach the sockets: upgrades count under the player's address behind a proxy.
func TestAddressLimits(t *testing.T) {
	srv := serve(t, volley.Config{
		ConnsPerAddress: 2, HandshakesPerSecondPerAddress: 1,
		ClientAddr: func(r *http.Request) netip.Addr { return netip.MustParseAddr(r.Header.Get("X-Player")) },
	}, newLobbyKind())
	dial := func(player string) (*client.Client, error) {
		return client.Dial(within(t), srv.url("ws"), client.Config{Header: http.Header{"X-Player": {player}}})
	}
	for range 2 {
		c, err := dial("2001:db8::1")
		require.NoError(t, err)
		defer c.Close()
	}
	_, err := dial("2001:db8::2") // of the same /64
	var upgrade *client.UpgradeError
	require.ErrorAs(t, err, &upgrade)
	assert.Equal(t, http.StatusTooManyRequests, upgrade.Status)
	assert.Contains(t, upgrade.Text, "too many connections")
	assert.Equal(t, uint64(1), srv.Stats().Net.Crowded)
	for range 10 { // a burst
		c, err := dial("192.0.2.1")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		<-c.Done()
		require.Eventually(t, func() bool { return srv.Stats().Net.Open == 2 }, 5*time.Second, time.Millisecond)
	}
	_, err = dial("192.0.2.1")
	require.ErrorAs(t, err, &upgrade)
	assert.Equal(t, http.StatusTooManyRequests, upgrade.Status)
	assert.Contains(t, upgrade.Text, "too often")
	assert.Equal(t, uint64(1), srv.Stats().Net.Hasty)
}

// Requests is what WELCOME says and the room keeps to.
func TestRequestsLimit(t *testing.T) {
	srv := serve(t, volley.Config{Requests: 3}, newLobbyKind())
	c := dialRaw(t, srv, "tcp")
	c.send(codec.AppendHello(nil, nil))
	in := codec.NewReader(c.receive(), codec.ServerLimits)
	_, n, err := in.Frame()
	require.NoError(t, err)
	welcome, err := in.Welcome(n)
	require.NoError(t, err)
	assert.Equal(t, 3, welcome.Requests)
}

// A page of another origin is told what the server's owner can do about it; an allowed one comes in.
func TestOrigins(t *testing.T) {
	srv := serve(t, volley.Config{AllowOrigins: []string{"https://game.example"}}, newLobbyKind())
	dial := func(origin string) error {
		c, err := client.Dial(within(t), srv.url("ws"), client.Config{Header: http.Header{"Origin": {origin}}})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	err := dial("https://evil.example")
	var upgrade *client.UpgradeError
	require.ErrorAs(t, err, &upgrade)
	assert.Equal(t, http.StatusForbidden, upgrade.Status)
	assert.Contains(t, upgrade.Text, "Config.AllowOrigins", "it says what to set")
	require.NoError(t, dial("https://game.example"))
	require.NoError(t, dial("http://"+srv.Addr().String()), "its own")

	bad := volley.New(volley.Config{Addr: "127.0.0.1:0", AllowOrigins: []string{"game.example"}}, newLobbyKind())
	require.ErrorContains(t, bad.Run(context.Background()), "https://host")
	require.NoError(t, bad.Close(within(t)))
}

// What proves who somebody is appears in no log, whatever happens to it: neither the credentials of HELLO and cookies, nor what
// resumes a session.
func TestSecretsAreNotLogged(t *testing.T) {
	const secret = "s3cr3t-t0k3n-of-ann"
	var logged logs
	old := slog.Default()
	slog.SetDefault(logged.logger()) // what has no logger of its own writes there
	defer slog.SetDefault(old)
	type credentials struct{ Token string }
	srv := serve(t, volley.Config{Logger: logged.logger(), PingInterval: time.Second, Auth: func(h *volley.Hello) (any, error) {
		c, err := volley.Auth[credentials](h)
		switch {
		case err != nil:
			return nil, err
		case c.Token == secret+"-expired":
			return nil, errors.New("your login has expired")
		case c.Token == secret+"-panic":
			panic("a fault of the hook")
		}
		return c.Token, nil
	}}, newSecretKind())
	for _, transport := range []string{"ws", "tcp"} {
		header := http.Header{"Cookie": {"session=" + secret}, "Authorization": {"Bearer " + secret}}
		for _, auth := range []any{credentials{secret}, credentials{secret + "-expired"}, credentials{secret + "-panic"}, secret, []string{secret}} {
			c, err := client.Dial(within(t), srv.url(transport)+map[string]string{"ws": "?token=" + secret}[transport], client.Config{Auth: auth, Header: header})
			if err != nil {
				continue
			}
			r, err := c.JoinOrCreate(within(t), "secret", map[string]string{"Password": secret})
			if err == nil {
				_ = client.Emit(r, line, "fail")
				_ = r.Leave(within(t))
			}
			_, _ = c.JoinOrCreate(within(t), "secret", "refuse")
			_ = c.Close()
			<-c.Done()
		}
		for _, state := range []string{"new", "open"} { // frames that break the rules, with the token in them
			raw := dialRaw(t, srv, transport)
			if state == "open" {
				hello, err := codec.Marshal(credentials{secret})
				require.NoError(t, err)
				raw.send(codec.AppendHello(nil, hello))
			}
			raw.send(append(codec.AppendHello(nil, nil), secret...))
			raw.end()
		}
	}
	tokens := resumeTokens(t, srv, 3)
	require.Contains(t, logged.String(), "a fault of the hook", "the log has been written to")
	for _, s := range append(tokens, secret) {
		i := strings.Index(logged.String(), s)
		if i >= 0 {
			t.Errorf("the log has %q: …%s…", s, logged.String()[max(0, i-200):min(i+200, len(logged.String()))])
		}
	}
}

// newSecretKind is a lobby that panics on command.
func newSecretKind() *room.Kind[*lobby] {
	k := room.Define("secret", func(r *room.Room) *lobby { return &lobby{r} }, room.Config{})
	room.On(k, line, func(*lobby, *room.Client, string) { panic("a fault of the game") })
	return k
}

// resumeTokens says HELLO and resumes what comes of it, n times, once with a wrong token, and returns all tokens.
func resumeTokens(t *testing.T, srv *running, n int) (tokens []string) {
	t.Helper()
	hello := codec.AppendHello(nil, nil)
	for range n {
		raw := dialRaw(t, srv, "tcp")
		raw.send(hello)
		in := codec.NewReader(raw.receive(), codec.ServerLimits)
		_, k, err := in.Frame()
		require.NoError(t, err)
		welcome, err := in.Welcome(k)
		require.NoError(t, err)
		require.NotEmpty(t, welcome.Token)
		tokens = append(tokens, welcome.Token)
		_ = raw.conn.Close()
		hello = codec.AppendResume(nil, nil, codec.Resume{Token: welcome.Token})
	}
	raw := dialRaw(t, srv, "tcp")
	wrong := tokens[0][1:] + "x"
	raw.send(codec.AppendResume(nil, nil, codec.Resume{Token: wrong}))
	require.Equal(t, codec.ResumeFailed, raw.end())
	return append(tokens, wrong, fmt.Sprintf("%q", tokens[0]))
}
