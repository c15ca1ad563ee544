package socketio_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/socketio"
)

// "The server MUST respond with either a CONNECT packet if the connection is successful, with the session ID in the payload, or a
// CONNECT_ERROR packet if the connection is not allowed."
func TestSocketConnects(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	for _, c := range []struct{ connect, answer, auth string }{
		{"40", "40", `42["auth",{}]`},
		{"40{}", "40", `42["auth",{}]`},
		{`40{"token":"123"}`, "40", `42["auth",{"token":"123"}]`},
		{"40/,", "40", `42["auth",{}]`},
		{"40/custom,", "40/custom,", `42/custom,["auth",{}]`},
		{"40/custom", "40/custom,", `42/custom,["auth",{}]`},
		{`40/custom,{"token":"abc"}`, "40/custom,", `42/custom,["auth",{"token":"abc"}]`},
		{`40/custom?x=1,{"token":"abc"}`, "40/custom,", `42/custom,["auth",{"token":"abc"}]`},
		{`40/refusing,{"token":"right"}`, "40/refusing,", `42/refusing,["auth",{"token":"right"}]`},
	} {
		w := s.dial()
		w.send(c.connect)
		w.sid(c.answer)
		w.want(c.auth)
	}
	assert.Equal(t, 9, s.io.Stats().Sockets)
}

func TestSocketConnectsByPolling(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	p := s.open()
	p.post(`40/random,`)
	p.want(`44/random,{"message":"Invalid namespace"}`)
	p.connect()
	p.works()
}

func TestSocketRefusals(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dial()
	w.send("40/random")
	w.want(`44/random,{"message":"Invalid namespace"}`)
	w.send(`40/refusing,{"token":"plain"}`)
	w.want(`44/refusing,{"message":"no luck"}`)
	w.send("40/refusing,")
	assert.JSONEq(t, `{"message":"not authorized","data":{"content":"Please retry later","code":7}}`,
		strings.TrimPrefix(w.packet(), "44/refusing,"))
	w.send("40")
	w.sid("40")
	w.want(`42["auth",{}]`)
	w.works()
	assert.EqualValues(t, 3, s.io.Stats().Refused)
}

func TestSocketIDsDiffer(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w, status := s.upgrade(websocket)
	require.Equal(t, 101, status)
	engine := readOpened(t, w.text()).SID
	w.send("40")
	main := w.sid("40")
	w.want(`42["auth",{}]`)
	w.send("40/custom,")
	custom := w.sid("40/custom,")
	assert.Len(t, map[string]bool{engine: true, main: true, custom: true}, 3, "each knows no more than its own")
}

// "If the server does not receive a CONNECT packet first, then it MUST close the connection immediately."
func TestSocketBeforeConnect(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	bystander := s.dialed()
	for _, packet := range []string{
		`42["message"]`, `421["message-with-ack"]`, "41", "431[]", `42/custom,["message"]`, `44{"message":"x"}`,
		`451-["message",{"_placeholder":true,"num":0}]`, "4abc",
	} {
		w := s.dial()
		w.send(packet)
		if strings.HasPrefix(packet, "45") {
			w.sendBinary("x")
		}
		w.ends()
		p := s.open()
		body := packet
		if strings.HasPrefix(packet, "45") {
			body += "\x1ebAQ=="
		}
		res, _ := s.do("POST", p.query(), body)
		assert.Equal(t, 400, res.StatusCode, packet)
		p.ended()
	}
	w := s.dialed() // to another namespace than that
	w.send(`42/custom,["message"]`)
	w.ends()
	bystander.works()
}

func TestSocketSecondConnect(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	w.send("40")
	w.ends()

	w = s.dial()
	w.send("40/custom,")
	id := w.sid("40/custom,")
	w.want(`42/custom,["auth",{}]`)
	w.send(`40/custom,{"token":"x"}`)
	w.ends()
	assert.Equal(t, "parse error", s.reason(id))

	w = s.dial()
	w.send("40", "40") // before the answer
	w.ends()
	require.Eventually(t, func() bool { return s.io.Stats().Sockets == 0 }, 20*time.Second, 5*time.Millisecond)
}

func TestSocketDisconnects(t *testing.T) {
	s := newSuite(t, hasty)
	w := s.dial()
	w.send("40")
	id := w.sid("40")
	w.want(`42["auth",{}]`)
	w.send("41")
	assert.Equal(t, "2", w.text(), "the connection lives on")
	w.send("3")
	assert.Equal(t, "client namespace disconnect", s.reason(id))
	w.send("40")
	assert.NotEqual(t, id, w.sid("40"))
	w.want(`42["auth",{}]`)
	w.works()
}

func TestSocketDisconnectsFromOneNamespace(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	for _, packet := range []string{"41/custom", "41/custom,"} {
		w := s.dialed()
		w.send("40/custom")
		id := w.sid("40/custom,")
		w.want(`42/custom,["auth",{}]`)
		w.send(packet, `42["message","message to main namespace"]`)
		w.want(`42["message-back","message to main namespace"]`)
		assert.Equal(t, "client namespace disconnect", s.reason(id))
		w.send(`42/custom,["message","too late"]`, "41/custom,")
		w.works()
	}
}

func TestSocketEvents(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	for _, data := range []string{
		`"message",1,"2",{"3":[true]}`, `"message"`, `"message",null`, `"message","ü🚀"`, `"message",[[],{}]`,
		`"message",-0.5,1e300`,
	} {
		w.send("42[" + data + "]")
		assert.JSONEq(t, strings.Replace("["+data+"]", "message", "message-back", 1), strings.TrimPrefix(w.packet(), "42"))
	}
	w.send(`42 [ "message" , 1 ]`)
	w.want(`42["message-back",1]`)
	w.send(`42["message","\ud83d\ude80\u001e"]`)
	w.want(`42["message-back","🚀\u001e"]`)
}

// "The receiver MUST respond with an ACK packet with the same event ID. The payload is mandatory and MUST be an array (possibly
// empty)."
func TestSocketAcknowledgements(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	w.send(`42456["message-with-ack",1,"2",{"3":[false]}]`)
	w.want(`43456[1,"2",{"3":[false]}]`)
	for _, id := range []int64{0, 1, 1 << 32, 1<<53 - 1} {
		n := strconv.FormatInt(id, 10)
		w.send("42" + n + `["message-with-ack"]`)
		w.want("43" + n + "[]")
	}
	w.send("40/custom,")
	w.sid("40/custom,")
	w.want(`42/custom,["auth",{}]`)
	w.send(`42/custom,13["message-with-ack","bar"]`)
	w.want(`43/custom,13["bar"]`)
}

func TestSocketAcknowledgementsOfClients(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	ask := func() string {
		w.send(`42["ask","x"]`)
		id, ok := strings.CutSuffix(strings.TrimPrefix(w.packet(), "42"), `["question","x"]`)
		require.True(t, ok)
		require.NotEmpty(t, id)
		return id
	}
	id := ask()
	w.send("43"+id+`["y",1]`, "43"+id+`["again"]`)
	w.want(`42["answered","y",1]`)
	w.send("43" + ask() + "[]")
	w.want(`42["answered"]`)
	w.send("461-"+ask()+`[{"_placeholder":true,"num":0}]`, "43999[]")
	w.ends() // a text where an attachment is to come

	w = s.dialed()
	w.send("461-" + ask() + `[{"_placeholder":true,"num":0}]`)
	w.sendBinary("\x01\x02")
	w.want(`451-["answered",{"_placeholder":true,"num":0}]`)
	w.wantBinary("\x01\x02")
	w.send("43999[]") // nobody asked
	w.works()

	other := s.dialed()
	id = ask()
	other.send("43" + id + `["not asked"]`)
	other.works()
	w.send("43" + id + `["asked"]`)
	w.want(`42["answered","asked"]`)
}

func TestSocketBinary(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	w.send(`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	w.sendBinary("\x01\x02\x03", "\x04\x05\x06")
	w.want(`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	w.wantBinary("\x01\x02\x03", "\x04\x05\x06")

	w.send(`452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	w.sendBinary("\x01\x02\x03", "\x04\x05\x06")
	w.want(`462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	w.wantBinary("\x01\x02\x03", "\x04\x05\x06")

	w.send(`452-["message",{"num":1,"_placeholder":true},[{"x":{"_placeholder":true,"num":0}}]]`) // the other way round
	w.sendBinary("first", "")
	w.want(`452-["message-back",{"_placeholder":true,"num":0},[{"x":{"_placeholder":true,"num":1}}]]`)
	w.wantBinary("", "first")

	w.send("40/custom,")
	w.sid("40/custom,")
	w.want(`42/custom,["auth",{}]`)
	w.send(`451-/custom,3["message-with-ack",{"_placeholder":true,"num":0}]`)
	w.sendBinary("x")
	w.want(`461-/custom,3[{"_placeholder":true,"num":0}]`)
	w.wantBinary("x")
}

// "The payload is mandatory and MUST be a non-empty array. If that's not the case, then the receiver MUST close the connection."
// So it is with everything else that is not as it should be.
func TestSocketClosesUponMalformedPackets(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	bystander := s.dialed()
	for _, packet := range []string{
		"4", "4abc", "47", "48", "49",
		"42", "42[]", "42{}", `42"x"`, "42null", "421", "42[null]", "42[{}]", "42[[]]",
		`42["message"`, `42["message"]x`, `42["message",]`, `42["message" 1]`, `42['message']`, `42["message",01]`, `42["message",NaN]`,
		`42["message","` + "\x01" + `"]`, `42["message","\x"]`, `42["message","` + strings.Repeat("[", 200) + `"`,
		"42[\"message\"," + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "]",
		`42abc["message-with-ack",1,"2",{"3":[false]}]`, `42-1["message"]`, `429007199254740992["message"]`, `421.5["message"]`,
		"43", "431", "43[]", "431{}", `431"x"`, "431null",
		"40[]", `40"x"`, "401", "40x",
		`41{}`, `41[]`, `42["connect"]`, `42["disconnect"]`, `42["connect_error"]`, `42["disconnecting"]`, `42["newListener"]`,
		`44{"message":"x"}`, `44"x"`, "44",
		"45", `45["message"]`, `45-["message"]`, `451["message",{"_placeholder":true,"num":0}]`, `451-["message"]`,
		`451-["message",{"_placeholder":true,"num":1}]`, `451-["message",{"_placeholder":true,"num":-1}]`,
		`451-["message",{"_placeholder":true,"num":"0"}]`, `451-["message",{"_placeholder":true}]`,
		`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
		`451-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
		`4599-["message"]`, `4599999999999999999999-["message"]`, "46", "461-", `461-[{"_placeholder":true,"num":0}]`,
		"4\xff", "42[\"\xc3(\"]",
	} {
		t.Run(strconv.Quote(packet[:min(len(packet), 50)]), func(t *testing.T) {
			w := s.dial()
			w.t = t
			w.send("40")
			id := w.sid("40")
			w.want(`42["auth",{}]`)
			w.send(packet)
			w.ends()
			assert.Equal(t, "parse error", s.reason(id))

			p := s.open()
			p.connect()
			res, _ := s.do("POST", p.query(), packet)
			assert.Equal(t, 400, res.StatusCode)
			p.ended()
		})
	}
	bystander.works()
	require.Eventually(t, func() bool { return s.io.Stats().Sockets == 1 }, 20*time.Second, 5*time.Millisecond)
}

func TestSocketClosesUponMisplacedAttachments(t *testing.T) {
	s := newSuite(t, socketio.Config{MaxPayload: 1000, MaxAttachments: 2})
	const event = `451-["message",{"_placeholder":true,"num":0}]`
	for name, send := range map[string]func(w *wire){
		"none awaited":    func(w *wire) { w.sendBinary("x") },
		"a text instead":  func(w *wire) { w.send(event, `42["message"]`) },
		"a close instead": func(w *wire) { w.send(event, "1") },
		"one more":        func(w *wire) { w.send(event); w.sendBinary("x", "y") },
		"too many": func(w *wire) {
			w.send(`453-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]`)
		},
		"too long together": func(w *wire) {
			w.send(`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
			w.sendBinary(strings.Repeat("x", 500), strings.Repeat("y", 500))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.dialed()
			send(w)
			w.ends()
		})
	}
	require.Eventually(t, func() bool { return s.io.Stats().Sessions == 0 }, 20*time.Second, 5*time.Millisecond)
}

// packed is a packet of the msgpack parser.
func packed(t *testing.T, v any) string {
	t.Helper()
	b, err := codec.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// unpacked reads one, passing over pings.
func (w *wire) unpacked() (p map[string]any) {
	w.t.Helper()
	for {
		message, isText, ok := w.next()
		require.True(w.t, ok, "the connection ended, code %d", w.code)
		if isText {
			require.Equal(w.t, "2", message)
			w.send("3")
			continue
		}
		require.NoError(w.t, codec.Unmarshal([]byte(message), &p))
		return p
	}
}

type bag = map[string]any

func TestSocketMsgpack(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dial()
	send := func(v any) { w.sendBinary(packed(t, v)) }
	send(bag{"type": 0, "nsp": "/random"})
	assert.Equal(t, bag{"type": int64(4), "nsp": "/random", "data": bag{"message": "Invalid namespace"}}, w.unpacked())
	send(bag{"type": 0, "nsp": "/", "data": bag{"token": []byte{1}}})
	p := w.unpacked()
	assert.Equal(t, int64(0), p["type"])
	assert.NotEmpty(t, p["data"].(bag)["sid"])
	assert.Equal(t, bag{"type": int64(2), "nsp": "/", "data": []any{"auth", bag{"token": []byte{1}}}}, w.unpacked())
	send(bag{"type": 2, "nsp": "/", "data": []any{"message", []byte{1, 2}, nil}, "id": nil, "options": bag{"compress": true}})
	assert.Equal(t, bag{"type": int64(2), "nsp": "/", "data": []any{"message-back", []byte{1, 2}, nil}}, w.unpacked())
	send(bag{"type": 2, "nsp": "/", "data": []any{"message-with-ack", "x"}, "id": 7})
	assert.Equal(t, bag{"type": int64(3), "nsp": "/", "data": []any{"x"}, "id": int64(7)}, w.unpacked())
	send(bag{"type": 2, "nsp": "/", "data": []any{"ask", 1}})
	p = w.unpacked()
	assert.Equal(t, []any{"question", int64(1)}, p["data"])
	send(bag{"type": 3, "nsp": "/", "data": []any{"y"}, "id": p["id"]})
	assert.Equal(t, []any{"answered", "y"}, w.unpacked()["data"])
	send(bag{"type": 1, "nsp": "/"})
	send(bag{"type": 0, "nsp": "/custom"})
	assert.Equal(t, "/custom", w.unpacked()["nsp"])
	assert.Equal(t, bag{"type": int64(2), "nsp": "/custom", "data": []any{"auth", bag{}}}, w.unpacked())
}

func TestSocketClosesUponMalformedMsgpack(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	event := bag{"type": 2, "nsp": "/", "data": []any{"message"}}
	with := func(key string, v any) string {
		p := bag{}
		for k, v := range event {
			p[k] = v
		}
		if p[key] = v; v == nil {
			delete(p, key)
		}
		return packed(t, p)
	}
	for name, message := range map[string]string{
		"empty":              "",
		"no map":             packed(t, []any{"message"}),
		"cut off":            packed(t, event)[:10],
		"more after it":      packed(t, event) + "\xc0",
		"no type":            with("type", nil),
		"type 5":             with("type", 5),
		"type -1":            with("type", -1),
		"a type that is not": with("type", "2"),
		"no namespace":       with("nsp", nil),
		"a bad namespace":    with("nsp", "custom"),
		"another namespace":  with("nsp", "/custom"),
		"no data":            with("data", nil),
		"no event":           with("data", []any{}),
		"no name":            with("data", []any{1}),
		"a map":              with("data", bag{"0": "message"}),
		"a reserved name":    with("data", []any{"disconnect"}),
		"an id that is not":  with("id", "1"),
		"an id below 0":      with("id", -1),
		"an id too high":     with("id", uint64(1)<<53),
		"a second connect":   packed(t, bag{"type": 0, "nsp": "/"}),
		"a refusal":          packed(t, bag{"type": 4, "nsp": "/", "data": bag{"message": "x"}}),
		"an ack without id":  packed(t, bag{"type": 3, "nsp": "/", "data": []any{}}),
		"an ack of nothing":  packed(t, bag{"type": 3, "nsp": "/", "id": 1}),
	} {
		t.Run(name, func(t *testing.T) {
			w := s.dial()
			w.sendBinary(packed(t, bag{"type": 0, "nsp": "/"}))
			id := w.unpacked()["data"].(bag)["sid"].(string)
			w.unpacked()
			w.sendBinary(message)
			w.ends()
			assert.Equal(t, "parse error", s.reason(id))
		})
	}
}

// A client keeps to the parser of its first packet.
func TestSocketKeepsToOneParser(t *testing.T) {
	s := newSuite(t, socketio.Config{})
	w := s.dialed()
	w.sendBinary(packed(t, bag{"type": 2, "nsp": "/", "data": []any{"message"}}))
	w.ends()
	w = s.dial()
	w.sendBinary(packed(t, bag{"type": 0, "nsp": "/"}))
	w.unpacked()
	w.unpacked()
	w.send(`42["message"]`)
	w.ends()
}
