package socketio_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/socketio"
)

const (
	friend   = "https://game.example"
	stranger = "https://evil.example"
)

func preflight(s *suite, origin string) (int, http.Header) {
	s.t.Helper()
	res, _ := s.do("OPTIONS", polling, "", "Origin", origin, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "content-type, x-token")
	return res.StatusCode, res.Header
}

func TestOriginsThatMayConnect(t *testing.T) {
	s := newSuite(t, socketio.Config{AllowOrigins: []string{friend}})
	status, h := preflight(s, friend)
	assert.Equal(t, 204, status)
	assert.Equal(t, friend, h.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "true", h.Get("Access-Control-Allow-Credentials"))
	assert.Contains(t, h.Get("Access-Control-Allow-Methods"), "POST")
	assert.Equal(t, "content-type, x-token", h.Get("Access-Control-Allow-Headers"))
	assert.Contains(t, h.Values("Vary"), "Origin")

	res, body := s.do("GET", polling, "", "Origin", friend)
	require.Equal(t, 200, res.StatusCode)
	assert.Equal(t, friend, res.Header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "true", res.Header.Get("Access-Control-Allow-Credentials"))
	p := &poller{s, readOpened(t, body).SID}
	res, _ = s.do("POST", p.query(), "40", "Origin", friend)
	assert.Equal(t, 200, res.StatusCode)
	assert.Equal(t, friend, res.Header.Get("Access-Control-Allow-Origin"))

	w, status := s.upgrade(websocket, "Origin", friend)
	require.Equal(t, 101, status)
	readOpened(t, w.text())
}

func TestOriginsThatMayNot(t *testing.T) {
	for name, cfg := range map[string]socketio.Config{
		"by default": {},
		"by list":    {AllowOrigins: []string{friend}},
		"by check":   {CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") != stranger }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSuite(t, cfg)
			status, h := preflight(s, stranger)
			assert.Equal(t, 403, status)
			assert.Empty(t, h.Get("Access-Control-Allow-Origin"))
			res, _ := s.do("GET", polling, "", "Origin", stranger)
			assert.Equal(t, 403, res.StatusCode)
			assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
			p := s.open()
			res, _ = s.do("POST", p.query(), "40", "Origin", stranger)
			assert.Equal(t, 403, res.StatusCode)
			_, status = s.upgrade(websocket, "Origin", stranger)
			assert.Equal(t, 403, status)
			p.connect() // it is none of the stranger's
			p.works()
		})
	}
}

func TestOriginOfOneself(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	res, _ := s.do("GET", polling, "", "Origin", s.url)
	assert.Equal(t, 200, res.StatusCode)
	_, status := s.upgrade(websocket, "Origin", s.url)
	assert.Equal(t, 101, status)
	res, _ = s.do("GET", polling, "") // none at all: no browser
	assert.Equal(t, 200, res.StatusCode)
	assert.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
}

func TestAllOrigins(t *testing.T) {
	s := newSuite(t, socketio.Config{AllowOrigins: []string{"*"}})
	status, h := preflight(s, stranger)
	assert.Equal(t, 204, status)
	assert.Equal(t, "*", h.Get("Access-Control-Allow-Origin"))
	assert.Empty(t, h.Get("Access-Control-Allow-Credentials"), "cookies are for origins that were named")
	_, status = s.upgrade(websocket, "Origin", stranger)
	assert.Equal(t, 101, status)
}
