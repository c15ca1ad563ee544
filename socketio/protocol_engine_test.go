package socketio_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/socketio"
)

// hasty is a Config with which heartbeats can be seen.
var hasty = socketio.Config{PingInterval: 200 * time.Millisecond, PingTimeout: 500 * time.Millisecond}

// "If the server accepts the connection, then it MUST respond with an open packet with the following JSON-encoded payload."
func TestEngineOpens(t *testing.T) {
	s := newSuite(t, socketio.Config{PingInterval: 300 * time.Millisecond, PingTimeout: 5 * time.Second})
	want := opened{PingInterval: 300, PingTimeout: 5000, MaxPayload: 1_000_000}

	res, body := s.do("GET", polling, "")
	require.Equal(t, 200, res.StatusCode)
	assert.Equal(t, "text/plain; charset=UTF-8", res.Header.Get("Content-Type"))
	first := readOpened(t, body)
	assert.NotEmpty(t, first.SID)
	want.SID, want.Upgrades = first.SID, []string{"websocket"}
	assert.Equal(t, want, first)

	w, status := s.upgrade(websocket)
	require.Equal(t, 101, status)
	second := readOpened(t, w.text())
	assert.NotEmpty(t, second.SID)
	want.SID, want.Upgrades = second.SID, []string{}
	assert.Equal(t, want, second)
}

func TestEngineOffersWhatItServes(t *testing.T) {
	polls := newSuite(t, socketio.Config{Transports: []string{"polling"}})
	_, body := polls.do("GET", polling, "")
	assert.Equal(t, []string{}, readOpened(t, body).Upgrades)
	_, status := polls.upgrade(websocket)
	assert.Equal(t, 400, status)

	webs := newSuite(t, socketio.Config{Transports: []string{"websocket"}})
	res, _ := webs.do("GET", polling, "")
	assert.Equal(t, 400, res.StatusCode)
	webs.dialed().works()
}

func TestEngineIDsAreUnique(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	seen := map[string]bool{}
	for range 200 {
		seen[s.open().sid] = true
	}
	assert.Len(t, seen, 200)
}

// "If a mandatory query parameter is missing, then the server MUST respond with an HTTP 400 error status", and so for a session
// that is not known.
func TestEngineRefusesRequests(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	known := s.open()
	for _, c := range []struct{ method, query string }{
		{"GET", ""},
		{"GET", "?transport=polling"},
		{"GET", "?EIO=abc&transport=polling"},
		{"GET", "?EIO=3&transport=polling"},
		{"GET", "?EIO=5&transport=polling"},
		{"GET", "?EIO=4"},
		{"GET", "?EIO=4&transport=abc"},
		{"GET", "?EIO=4&transport=webtransport"},
		{"GET", "?EIO=4&transport=websocket"}, // without its headers
		{"POST", polling},
		{"PUT", polling},
		{"DELETE", polling},
		{"PATCH", polling},
		{"GET", polling + "&sid=unknown"},
		{"POST", polling + "&sid=unknown"},
		{"PUT", polling + "&sid=unknown"},
		{"PUT", known.query()},
		{"DELETE", known.query()},
		{"GET", "?transport=polling&sid=" + known.sid},
		{"POST", "?transport=polling&sid=" + known.sid},
		{"GET", "?EIO=4&sid=" + known.sid},
		{"POST", "?EIO=4&transport=abc&sid=" + known.sid},
	} {
		res, body := s.do(c.method, c.query, "40")
		assert.Equal(t, 400, res.StatusCode, "%s %s", c.method, c.query)
		var why struct {
			Code    *int
			Message string
		}
		require.NoError(t, json.Unmarshal([]byte(body), &why), body)
		assert.NotNil(t, why.Code)
		assert.NotEmpty(t, why.Message)
	}
	res, _ := s.do("HEAD", polling, "")
	assert.Equal(t, 400, res.StatusCode)
	known.connect()
	known.works()
}

// "If a mandatory query parameter is missing, then the server MUST close the WebSocket connection."
func TestEngineRefusesWebSockets(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	for _, query := range []string{
		"", "?transport=websocket", "?EIO=abc&transport=websocket", "?EIO=3&transport=websocket", "?EIO=4", "?EIO=4&transport=abc",
		websocket + "&sid=unknown",
	} {
		_, status := s.upgrade(query)
		assert.Equal(t, 400, status, query)
	}
}

// "To indicate success, the server MUST return an HTTP 200 response, with the string ok in the response body."
func TestEngineMessagesByPolling(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.connect()
	p.works()
	p.post(`42["message-with-ack",1]`, `421["message-with-ack","a"]`, `422["message-with-ack","b"]`)
	p.want(`431["a"]`, `432["b"]`)
}

// "Binary payloads MUST be base64-encoded and prefixed with a b character."
func TestEngineBinaryByPolling(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.connect()
	p.post(`451-7["message-with-ack",{"_placeholder":true,"num":0}]`, `bAQIDBA==`)
	p.want(`461-7[{"_placeholder":true,"num":0}]`, `bAQIDBA==`)
	p.post(`452-8["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	p.post("b") // empty
	p.post("b/w==")
	p.want(`462-8[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "b", "b/w==")
}

func TestEngineClosesUponInvalidPackets(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	bystander := s.dialed()
	for _, body := range []string{
		"", "abc", "4abc", "7", "9", "0", "2", "\x1e", "3\x1e", "\x1e3", "3\x1e\x1e3", "b!", "bA", "4\xff", "4\xc3(",
		strings.Repeat("3\x1e", 1000) + "3",
	} {
		p := s.open()
		res, _ := s.do("POST", p.query(), body)
		assert.Equal(t, 400, res.StatusCode, "%.20q", body)
		p.ended()
	}
	for _, text := range []string{"", "abc", "4abc", "7", "0", "2", "b", "bAQID"} {
		w := s.dial()
		w.send(text)
		w.ends()
	}
	bystander.works()
}

// "a client MUST NOT have more than one active GET request. Should it happen, the server MUST return an HTTP 400 error status
// and close the session."
func TestEngineClosesUponTwoGETs(t *testing.T) {
	p := newSuite(t, socketio.Config{}).open()
	first := p.pending(context.Background())
	status, _ := p.get()
	assert.Equal(t, 400, status)
	assert.Equal(t, "1", <-first)
	p.ended()
}

// "a client MUST NOT have more than one active POST request. Should it happen, the server MUST return an HTTP 400 error status
// and close the session."
func TestEngineClosesUponTwoPOSTs(t *testing.T) {
	p := newSuite(t, socketio.Config{}).open()
	body, more := io.Pipe()
	first := make(chan int, 1)
	go func() {
		res, _, err := p.try(context.Background(), "POST", p.query(), body)
		if err != nil {
			first <- 0
			return
		}
		first <- res.StatusCode
	}()
	_, err := more.Write([]byte("4"))
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond) // until the server has it
	res, _ := p.do("POST", p.query(), "3")
	assert.Equal(t, 400, res.StatusCode)
	_, _ = more.Write([]byte("0"))
	more.Close()
	assert.NotEqual(t, 200, <-first)
	p.ended()
}

func TestEngineClosesUponACancelledGET(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.connect()
	ctx, cancel := context.WithCancel(context.Background())
	end := p.pending(ctx)
	cancel()
	assert.Equal(t, "error", <-end)
	require.Eventually(t, func() bool { return s.io.Stats().Sessions == 0 }, 20*time.Second, 5*time.Millisecond)
	p.ended()
}

func TestEngineClosesUponTooLongBodies(t *testing.T) {
	s := newSuite(t, socketio.Config{MaxPayload: 1000})
	bystander := s.dialed()
	long := strings.Repeat("x", 1000)

	p := s.open()
	p.connect()
	res, _ := s.do("POST", p.query(), `42["message","`+long+`"]`)
	assert.Equal(t, 413, res.StatusCode)
	p.ended()

	p = s.open()
	p.connect()
	res, _, err := s.try(context.Background(), "POST", p.query(), io.MultiReader(strings.NewReader(`42["`), strings.NewReader(long)))
	if err == nil { // its length was not told before
		assert.Equal(t, 413, res.StatusCode)
	}
	p.ended()

	w := s.dialed()
	w.send(`42["message","` + long + `"]`)
	w.ends()
	assert.Equal(t, 1009, w.code)
	bystander.works()
}

// "At a given interval the server sends a ping packet and the client has a few seconds to send a pong packet back."
func TestEngineHeartbeats(t *testing.T) {
	s := newSuite(t, hasty)
	t.Run("polling", func(t *testing.T) {
		p := s.open()
		for range 5 {
			status, body := p.get()
			require.Equal(t, 200, status)
			require.Equal(t, "2", body)
			p.post("3")
		}
	})
	t.Run("websocket", func(t *testing.T) {
		w := s.dial()
		for range 5 {
			require.Equal(t, "2", w.text())
			w.send("3")
		}
		w.send("40")
		w.sid("40")
	})
}

// "If the server does not receive a pong packet back, then it SHOULD consider that the connection is closed."
func TestEnginePingTimeout(t *testing.T) {
	s := newSuite(t, hasty)
	t.Run("polling", func(t *testing.T) {
		p := s.open()
		p.post("40")
		_, body := p.get()
		id := strings.Split(body, `"`)[3]
		for range 2 { // it polls, but does not answer
			if status, body := p.get(); status != 200 || body != "2" {
				break
			}
		}
		assert.Equal(t, "ping timeout", s.reason(id))
		p.ended()
	})
	t.Run("polling without polls", func(t *testing.T) {
		p := s.open()
		require.Eventually(t, func() bool { return s.io.Stats().Sessions == 0 }, 20*time.Second, 5*time.Millisecond)
		p.ended()
	})
	t.Run("websocket", func(t *testing.T) {
		w := s.dial()
		w.send("40")
		id := w.sid("40")
		assert.Equal(t, "2", w.ends())
		assert.Equal(t, "ping timeout", s.reason(id))
	})
	assert.EqualValues(t, 3, s.io.Stats().TimedOut)
}

func TestEngineClosePackets(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	t.Run("polling", func(t *testing.T) {
		p := s.open()
		p.connect()
		end := p.pending(context.Background())
		p.post("1")
		assert.Equal(t, "6", <-end)
		p.ended()
	})
	t.Run("websocket", func(t *testing.T) {
		w := s.dial()
		w.send("40")
		id := w.sid("40")
		w.send("1")
		w.ends()
		assert.Equal(t, "transport close", s.reason(id))
	})
}

// "The server MUST send a noop packet to any pending GET request (if applicable) to cleanly close HTTP long-polling transport,
// and respond with a pong packet with the string probe in the payload."
func TestEngineUpgrades(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.connect()
	end := p.pending(context.Background())
	w, status := s.upgrade(websocket + "&sid=" + p.sid)
	require.Equal(t, 101, status)
	w.send("2probe")
	assert.Equal(t, "3probe", w.text())
	assert.Equal(t, "6", <-end)
	status, body := p.get() // one that was on its way
	assert.Equal(t, 200, status)
	assert.Equal(t, "6", body)
	w.send("5")
	w.works()
	assert.EqualValues(t, 1, s.io.Stats().Upgraded)
	assert.Equal(t, 1, s.io.Stats().WebSocket)
}

// What waits for a poll that does not come any more arrives by the WebSocket.
func TestEngineUpgradesWithWhatWaits(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.connect()
	p.post(`421["message-with-ack",1]`, `451-2["message-with-ack",{"_placeholder":true,"num":0}]`, `bAQI=`)
	w, status := s.upgrade(websocket + "&sid=" + p.sid)
	require.Equal(t, 101, status)
	w.send("2probe")
	assert.Equal(t, "3probe", w.text())
	w.send("5", `423["message-with-ack",3]`)
	w.want(`431[1]`, `461-2[{"_placeholder":true,"num":0}]`)
	w.wantBinary("\x01\x02")
	w.want(`433[3]`)
}

// upgraded is a session that has moved to a WebSocket.
func (s *suite) upgraded() (*poller, *wire) {
	s.t.Helper()
	p := s.open()
	p.connect()
	w, status := s.upgrade(websocket + "&sid=" + p.sid)
	require.Equal(s.t, 101, status)
	w.send("2probe", "5")
	require.Equal(s.t, "3probe", w.text())
	w.works()
	return p, w
}

func TestEngineRefusesPollsAfterUpgrade(t *testing.T) {
	p, w := newSuite(t, socketio.Config{}).upgraded()
	status, _ := p.get()
	assert.Equal(t, 400, status)
	w.works()
	res, _ := p.do("POST", p.query(), `42["message","x"]`)
	assert.Equal(t, 400, res.StatusCode)
	w.works()
}

// "A client MUST NOT open more than one WebSocket connection per session. Should it happen, the server MUST close the WebSocket
// connection."
func TestEngineRefusesSecondWebSockets(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	refused := func(sid string) {
		t.Helper()
		if w, status := s.upgrade(websocket + "&sid=" + sid); status == 101 {
			w.send("2probe")
			w.ends()
		} else {
			assert.Equal(t, 400, status)
		}
	}
	p, w := s.upgraded()
	refused(p.sid)
	w.works()

	w, status := s.upgrade(websocket) // one that has not polled
	require.Equal(t, 101, status)
	o := readOpened(t, w.text())
	refused(o.SID)
	w.send("40")
	w.sid("40")

	p = s.open() // while it moves
	p.connect()
	w, status = s.upgrade(websocket + "&sid=" + p.sid)
	require.Equal(t, 101, status)
	refused(p.sid)
	w.send("2probe", "5")
	require.Equal(t, "3probe", w.text())
	w.works()
}

func TestEngineUpgradesThatFail(t *testing.T) {
	for name, fail := range map[string]func(w *wire){
		"a message":        func(w *wire) { w.send(`42["message"]`) },
		"another ping":     func(w *wire) { w.send("2") },
		"binary":           func(w *wire) { w.sendBinary("2probe") },
		"the network":      func(w *wire) { w.conn.Close() },
		"a close":          func(w *wire) { w.frame(0x88, "\x03\xe8") },
		"after the answer": func(w *wire) { w.send("2probe", "4") },
		"too late":         func(*wire) {},
		"half way":         func(w *wire) { w.send("2probe") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSuite(t, socketio.Config{UpgradeTimeout: 300 * time.Millisecond})
			p := s.open()
			p.connect()
			w, status := s.upgrade(websocket + "&sid=" + p.sid)
			require.Equal(t, 101, status)
			if fail(w); name != "the network" {
				w.ends()
			}
			require.Eventually(t, func() bool { // a poll is no longer sent away
				p.post(`421["message-with-ack"]`)
				_, body := p.get()
				return body == "431[]"
			}, 20*time.Second, 5*time.Millisecond)
			p.works()
			require.Eventually(t, func() bool { // another try, when the server has noticed the end of the first
				w, status = s.upgrade(websocket + "&sid=" + p.sid)
				require.Equal(t, 101, status)
				w.send("2probe", "5")
				answer, _, _ := w.next()
				return answer == "3probe"
			}, 20*time.Second, 20*time.Millisecond)
			w.works()
		})
	}
}

// WebSocket's own rules are netio's; here they are those of a session.
func TestEngineFragments(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	w.frame(0x01, `42["mess`)
	w.frame(0x80, `age","works"]`)
	w.want(`42["message-back","works"]`)
	w.frame(0x89, "control") // a ping of WebSocket, which is not Engine.IO's
	w.works()
}

func TestEngineConnectTimeout(t *testing.T) {
	s := newSuite(t, socketio.Config{ConnectTimeout: 300 * time.Millisecond})
	w, p := s.dial(), s.open()
	stays := s.dialed()
	w.ends()
	require.Eventually(t, func() bool { return s.io.Stats().Sessions == 1 }, 20*time.Second, 5*time.Millisecond)
	p.ended()
	stays.works()
}
