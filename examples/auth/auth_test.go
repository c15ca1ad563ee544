package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/codec"
)

// serve runs the program for a test, on a port of its own.
func serve(t *testing.T, life time.Duration) (*desk, *volley.Server) {
	t.Helper()
	key, err := signingKey("")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{key: key, life: life, users: map[string]password{"ann": newPassword("wonder"), "bob": newPassword("builder")}}
	srv := newServer("127.0.0.1:0", d)
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d, srv
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// request is an HTTP request to the server.
func request(t *testing.T, srv *volley.Server, method, path, body string) (status int, text string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), method, "http://"+srv.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Cookies()
}

func TestLogin(t *testing.T) {
	_, srv := serve(t, time.Minute)
	for _, tt := range []struct {
		name, method, body string
		want               int
	}{
		{"right", "POST", `{"name":"ann","password":"wonder"}`, 200},
		{"wrong password", "POST", `{"name":"ann","password":"wonders"}`, 401},
		{"another's password", "POST", `{"name":"ann","password":"builder"}`, 401},
		{"no such name", "POST", `{"name":"eve","password":"wonder"}`, 401},
		{"no name, no password", "POST", `{}`, 401},
		{"no JSON", "POST", `name=ann&password=wonder`, 400},
		{"far too long", "POST", `{"name":"` + strings.Repeat("a", 2000) + `"}`, 400},
		{"GET", "GET", ``, 404},
	} {
		status, text, cookies := request(t, srv, tt.method, "/login", tt.body)
		if status != tt.want {
			t.Errorf("%s: %d %s", tt.name, status, text)
		}
		if (len(cookies) == 1) != (tt.want == 200) {
			t.Errorf("%s: cookies %v", tt.name, cookies)
		}
	}
	_, text, cookies := request(t, srv, "POST", "/login", `{"name":"ann","password":"wonder"}`)
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || !strings.Contains(text, c.Value) {
		t.Errorf("cookie %v, body %s", c, text)
	}
	_, _, cookies = request(t, srv, "POST", "/logout", "")
	if len(cookies) != 1 || cookies[0].Value != "" || cookies[0].Expires.After(time.Now()) {
		t.Errorf("after logout: %v", cookies)
	}
}

// Who comes in, and as whom: by HELLO or by a cookie; everybody else is told in so many words, with code 4009, and not with the
// token.
func TestWhoComesIn(t *testing.T) {
	d, srv := serve(t, time.Minute)
	claims := func(change func(c *jwt.RegisteredClaims)) jwt.Claims {
		c := jwt.RegisteredClaims{Issuer: issuer, Subject: "ann", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute))}
		change(&c)
		return c
	}
	sign := func(method jwt.SigningMethod, key any, c jwt.Claims) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	same := func(*jwt.RegisteredClaims) {}
	good := sign(jwt.SigningMethodHS256, d.key, claims(same))
	for _, tt := range []struct{ name, token, want string }{
		{"good", good, ""},
		{"none", "", "log in first"},
		{"no token at all", "wonder", "not good"},
		{"cut", good[:len(good)-1], "not good"},
		{"another key", sign(jwt.SigningMethodHS256, []byte("another key of thirty-two bytes!"), claims(same)), "not good"},
		{"not signed", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(same)), "not good"},
		{"another method", sign(jwt.SigningMethodHS512, d.key, claims(same)), "not good"},
		{"another issuer", sign(jwt.SigningMethodHS256, d.key, claims(func(c *jwt.RegisteredClaims) { c.Issuer = "other" })), "not good"},
		{"for ever", sign(jwt.SigningMethodHS256, d.key, claims(func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil })), "not good"},
		{"nobody", sign(jwt.SigningMethodHS256, d.key, claims(func(c *jwt.RegisteredClaims) { c.Subject = "" })), "not good"},
		{"a user who is gone", sign(jwt.SigningMethodHS256, d.key, claims(func(c *jwt.RegisteredClaims) { c.Subject = "eve" })), "gone"},
		{"expired", sign(jwt.SigningMethodHS256, d.key, claims(func(c *jwt.RegisteredClaims) {
			c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Second))
		})), "expired"},
	} {
		for way, cfg := range map[string]client.Config{
			"HELLO":  {Auth: credentials{tt.token}},
			"cookie": {Header: http.Header{"Cookie": {cookieName + "=" + tt.token}}},
		} {
			greeting, err := enter(t, srv, cfg)
			var refused *client.CloseError
			switch {
			case tt.want == "":
				if err != nil || greeting != "welcome, ann" {
					t.Errorf("%s by %s: %q, %v", tt.name, way, greeting, err)
				}
			case !errors.As(err, &refused) || refused.Code != codec.Unauthorized || !strings.Contains(refused.Reason, tt.want):
				t.Errorf("%s by %s: %v", tt.name, way, err)
			case tt.token != "" && strings.Contains(refused.Reason, tt.token):
				t.Errorf("%s by %s: the reason has the token: %v", tt.name, way, err)
			}
		}
	}
	if _, err := enter(t, srv, client.Config{Auth: 5}); err == nil || !strings.Contains(err.Error(), "must be a map") {
		t.Errorf("auth that is no map: %v", err)
	}
}

// enter goes into the hall and returns the first line.
func enter(t *testing.T, srv *volley.Server, cfg client.Config) (string, error) {
	t.Helper()
	c, err := client.Dial(within(t), "ws://"+srv.Addr().String()+"/volley", cfg)
	if err != nil {
		return "", err
	}
	defer c.Close()
	lines := make(chan Line, 10)
	_, err = c.JoinOrCreate(within(t), "hall", nil, func(r *client.Room) {
		client.On(r, said, func(l Line, _ client.Meta) { lines <- l })
	})
	if err != nil {
		return "", err
	}
	select {
	case l := <-lines:
		return l.Text, nil
	case <-time.After(10 * time.Second):
		return "", errors.New("nobody greets")
	}
}

// A login that ends while somebody is in ends the visit, with the reason.
func TestExpiryEndsAVisit(t *testing.T) {
	d, srv := serve(t, time.Minute)
	token, err := d.sign("ann", time.Now().Add(1500*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(within(t), "ws://"+srv.Addr().String()+"/volley", client.Config{Auth: credentials{token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	left := make(chan string, 1)
	r, err := c.JoinOrCreate(within(t), "hall", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.OnLeft(func(code codec.Code, reason string) { left <- code.String() + ": " + reason })
	select {
	case why := <-left:
		if why != "kicked: the login has expired; log in again" {
			t.Error(why)
		}
	case <-time.After(10 * time.Second):
		t.Error("it stays for ever")
	}
}

// logs collects what is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// Neither tokens nor passwords are logged, not even for debugging.
func TestSecretsAreNotLogged(t *testing.T) {
	var logged logs
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(old)
	d, srv := serve(t, time.Minute)
	request(t, srv, "POST", "/login", `{"name":"ann","password":"wonder"}`)
	request(t, srv, "POST", "/login", `{"name":"ann","password":"wonder-not"}`)
	token, err := d.sign("ann", time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []string{token, token + "x"} {
		_, _ = enter(t, srv, client.Config{Auth: credentials{tt}})
		_, _ = enter(t, srv, client.Config{Header: http.Header{"Cookie": {cookieName + "=" + tt}}})
		_, _ = enter(t, srv, client.Config{Auth: tt})
	}
	slog.Debug("the log is on")
	logged.mu.Lock()
	defer logged.mu.Unlock()
	all := logged.buf.String()
	parts := strings.Split(token, ".")
	for _, secret := range append(parts[1:], "wonder") {
		if strings.Contains(all, secret) {
			t.Errorf("the log has %q:\n%s", secret, all)
		}
	}
	if !strings.Contains(all, "the log is on") {
		t.Error("nothing is logged at all")
	}
}

func TestSigningKey(t *testing.T) {
	for encoded, want := range map[string]string{
		"":     "",
		"c2hv": "32 bytes", "no base64!": "base64",
		"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=": "",
	} {
		key, err := signingKey(encoded)
		if want == "" && (err != nil || len(key) < minKey) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %d bytes, %v", encoded, len(key), err)
		}
	}
}

func TestUsersThatAreNone(t *testing.T) {
	for _, users := range []string{"", "ann", "ann:", ":wonder", "ann:wonder,"} {
		if err := run(context.Background(), "127.0.0.1:0", users, time.Minute); err == nil || strings.Contains(err.Error(), "wonder") {
			t.Errorf("%q: %v", users, err)
		}
	}
}
