package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/volley-go/volley/socketio"
)

// visit is a socket's Data.
type visit struct {
	seen  []string
	count int
	value any
}

// handle gives a site's namespaces their handlers.
func (s *site) handle() {
	s.serve(s.io.Namespace)
	s.serve(s.io.Of("/static"))
	secret := s.io.Of("/secret")
	secret.Use(admit)
	s.serve(secret)
	s.io.OfFunc(
		func(name string, _ *socketio.Handshake) bool { return strings.HasPrefix(name, "/dyn-") },
		s.serve,
	)
}

// admit is the middleware of /secret.
func admit(s *socketio.Socket) error {
	var auth struct {
		Token string `msgpack:"token"`
		Name  string `msgpack:"name"`
	}
	if err := s.Handshake().Auth(&auth); err != nil {
		return err
	}
	switch auth.Token {
	case "right":
		s.Data = &visit{value: auth.Name}
		return nil
	case "plain":
		return errors.New("no luck")
	case "panic":
		panic("as the client wants it")
	}
	return &socketio.ConnectError{
		Message: "not authorized", Data: map[string]any{"content": "Please retry later", "code": 7},
	}
}

// serve gives a namespace its handlers.
func (s *site) serve(ns *socketio.Namespace) {
	ns.OnConnect(func(c *socketio.Socket) {
		if c.Data == nil {
			c.Data = &visit{}
		}
		v := c.Data.(*visit)
		c.OnAny(func(m *socketio.Message) { v.seen = append(v.seen, fmt.Sprint(m.Event, " ", m.Len())) })
		c.On("seen", func(m *socketio.Message) { m.Ack(v.seen) })
		if strings.HasPrefix(ns.Name(), "/dyn-greet") {
			c.Join("r")
			c.Emit("self", c.ID())
			ns.Emit("all", c.ID())
			c.Broadcast().Emit("others", c.ID())
			ns.To("r").Emit("room", c.ID())
		}
	})
	ns.OnAny(func(m *socketio.Message) { m.Socket.Data.(*visit).count++ })
	ns.On("counted", func(m *socketio.Message) { m.Ack(m.Socket.Data.(*visit).count) })
	rooms := map[string][]string{}
	ns.OnDisconnecting(func(c *socketio.Socket, _ string) { rooms[c.ID()] = c.Rooms() })
	ns.OnDisconnect(func(c *socketio.Socket, reason string) {
		s.note("ended "+c.ID(), map[string]any{"reason": reason, "rooms": rooms[c.ID()]})
	})
	serveEcho(ns)
	serveValues(ns)
	s.serveAcks(ns)
	s.serveAudiences(ns)
	s.serveEnds(ns)
}

// args are a message's arguments, as they came.
func args(m *socketio.Message) []any {
	list, err := m.Args()
	if err != nil {
		panic(err)
	}
	return list
}

func serveEcho(ns *socketio.Namespace) {
	for _, name := range []string{"echo", "message", "ünï 🚀"} {
		ns.On(name, func(m *socketio.Message) { m.Socket.Emit(name, args(m)...) })
	}
	ns.On("list", func(m *socketio.Message) { m.Ack(args(m)) })
	ns.On("panic", func(*socketio.Message) { panic("as the client wants it") })
	ns.On("who", func(m *socketio.Message) {
		s := m.Socket
		h := s.Handshake()
		var auth map[string]any
		if err := h.Auth(&auth); err != nil {
			panic(err)
		}
		m.Ack(map[string]any{
			"id": s.ID(), "transport": s.Transport(), "header": h.Header.Get("X-Test"), "query": h.URL.Query().Get("q"),
			"auth": auth, "recovered": s.Recovered(), "secure": h.Secure, "rooms": s.Rooms(),
		})
	})
	ns.On("get", func(m *socketio.Message) { m.Ack(m.Socket.Data.(*visit).value) })
	ns.On("set", func(m *socketio.Message) {
		m.Socket.Data.(*visit).value = args(m)[0]
		m.Ack()
	})
}

type typed struct {
	Name string   `msgpack:"name"`
	List []string `msgpack:"list"`
	Data []byte   `msgpack:"data"`
}

type terms struct {
	A int `msgpack:"a"`
	B int `msgpack:"b"`
}

func serveValues(ns *socketio.Namespace) {
	ns.On("values", func(m *socketio.Message) {
		m.Socket.Emit("values", int64(1<<53-1), int64(-(1<<53 - 1)), uint64(1<<60), float32(0.5), 3.0, 1e300, "ü🚀", nil,
			[]int{1, 2}, map[string]any{"k": map[string]any{"b": []byte{1, 2}}}, typed{"n", []string{"x"}, []byte{0xff}},
			[]byte{0}, true, []string{})
	})
	socketio.On(ns, "typed", func(s *socketio.Socket, v typed) { s.Emit("typed", v) })
	socketio.Handle(ns, "sum", func(_ *socketio.Socket, v terms) (int, error) {
		if v.B < 0 {
			return 0, errors.New("b is negative")
		}
		return v.A + v.B, nil
	})
	socketio.On(ns, "count", func(s *socketio.Socket, n int) {
		go func() { // in many steps, while the client may move to another transport
			for i := range n {
				s.Emit("n", i)
				if i%20 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
	})
	ns.On("stream", func(m *socketio.Message) {
		var n, every int
		if err := m.Bind(&n, &every); err != nil {
			panic(err)
		}
		m.Ack()
		go func() {
			for i := range n {
				m.Socket.Emit("n", i, "a text")
				time.Sleep(time.Duration(every) * time.Millisecond)
			}
		}()
	})
	ns.On("burst", func(m *socketio.Message) {
		var to string
		var from, n int
		if err := m.Bind(&to, &from, &n); err != nil {
			panic(err)
		}
		for i := from; i < from+n; i++ {
			switch i % 3 {
			case 0:
				ns.To(to).Emit("n", i)
			case 1:
				ns.To(to).Emit("n", i, "a text")
			case 2:
				ns.To(to).Emit("n", i, []byte{1, 2, 3})
			}
		}
		m.Ack()
	})
}

// reply is an acknowledgement's arguments.
func reply(r *socketio.Reply) []any {
	list, err := r.Args()
	if err != nil {
		panic(err)
	}
	return list
}

func (s *site) serveAcks(ns *socketio.Namespace) {
	ns.On("ack", func(m *socketio.Message) { m.Ack(args(m)...) })
	ns.On("silent", func(*socketio.Message) {})
	ns.On("twice", func(m *socketio.Message) {
		m.Ack(1)
		m.Ack(2)
	})
	ns.On("later", func(m *socketio.Message) {
		v := args(m)
		time.AfterFunc(50*time.Millisecond, func() { ns.Post(func() { m.Ack(v...) }) })
	})
	ns.On("ask", func(m *socketio.Message) {
		var timeout int
		var event string
		if err := m.Bind(&timeout, &event); err != nil {
			panic(err)
		}
		c := m.Socket
		c.Ask(time.Duration(timeout)*time.Millisecond, event, func(r *socketio.Reply, err error) {
			s.note("asked "+c.ID(), errText(err))
			if err != nil {
				c.Emit("asked", errText(err))
				return
			}
			c.Emit("asked", append([]any{""}, reply(r)...)...)
		}, args(m)[2:]...)
	})
	ns.On("ask all", func(m *socketio.Message) {
		var timeout int
		var question any
		var to string
		if err := m.Bind(&timeout, &question, &to); err != nil {
			panic(err)
		}
		done := func(replies []*socketio.Reply, err error) {
			list := [][]any{}
			for _, r := range replies {
				list = append(list, reply(r))
			}
			m.Socket.Emit("answers", errText(err), list)
		}
		d := time.Duration(timeout) * time.Millisecond
		if to == "" {
			ns.Ask(d, "question", done, question)
		} else {
			ns.To(to).Ask(d, "question", done, question)
		}
	})
}

// wanted is what a client wants to be emitted, and to whom.
type wanted struct {
	Scope    string   `msgpack:"scope"`
	Rooms    []string `msgpack:"rooms"`
	Except   []string `msgpack:"except"`
	Volatile bool     `msgpack:"volatile"`
	Event    string   `msgpack:"event"`
	Args     []any    `msgpack:"args"`
}

func (w *wanted) emit(s *socketio.Socket) {
	var to *socketio.Broadcast
	switch w.Scope {
	case "self":
		if w.Volatile {
			s.Volatile().Emit(w.Event, w.Args...)
		} else {
			s.Emit(w.Event, w.Args...)
		}
		return
	case "all":
		to = s.Namespace().To(w.Rooms...)
	case "others":
		to = s.To(w.Rooms...)
	}
	if len(w.Except) > 0 {
		to = to.Except(w.Except...)
	}
	if w.Volatile {
		to = to.Volatile()
	}
	to.Emit(w.Event, w.Args...)
}

func (s *site) serveAudiences(ns *socketio.Namespace) {
	ns.On("emit", func(m *socketio.Message) {
		var w wanted
		if err := m.Bind(&w); err != nil {
			panic(err)
		}
		w.emit(m.Socket)
		m.Ack()
	})
	socketio.Handle(ns, "join", func(s *socketio.Socket, rooms []string) ([]string, error) {
		s.Join(rooms...)
		return s.Rooms(), nil
	})
	socketio.Handle(ns, "leave", func(s *socketio.Socket, rooms []string) ([]string, error) {
		s.Leave(rooms...)
		return s.Rooms(), nil
	})
	ns.On("rooms", func(m *socketio.Message) { m.Ack(m.Socket.Rooms()) })
	ns.On("sockets", func(m *socketio.Message) { m.Ack(ids(ns.Sockets())) })
	ns.On("audience", func(m *socketio.Message) {
		var what, of, to string
		if err := m.Bind(&what, &of, &to); err != nil {
			panic(err)
		}
		b := ns.In(of)
		switch what {
		case "sockets":
			m.Ack(ids(b.Sockets()))
			return
		case "join":
			b.Join(to)
		case "leave":
			b.Leave(to)
		case "disconnect":
			b.Disconnect(false)
		}
		m.Ack()
	})
}

func ids(list []*socketio.Socket) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, s.ID())
	}
	return out
}

func (s *site) serveEnds(ns *socketio.Namespace) {
	ns.On("bye", func(m *socketio.Message) {
		var hangUp bool
		var word string
		if err := m.Bind(&hangUp, &word); err != nil {
			panic(err)
		}
		m.Socket.Emit("echo", word)
		m.Socket.Disconnect(hangUp)
	})
	ns.On("shutdown", func(*socketio.Message) { go func() { _ = s.io.Close(context.Background()) }() })
}
