package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/volley-go/volley/codec"
)

// TestClose: what was emitted before it arrives, then the goodbye; callbacks run once and in order.
func TestClose(t *testing.T) {
	for _, scheme := range []string{"ws", "tcp"} {
		t.Run(scheme, func(t *testing.T) {
			const n = 50
			seqs := make(chan uint64, 1)
			url := serve(t, scheme, func(p *peer) {
				p.hello(welcome())
				p.admit()
				var last uint64
				for {
					b, err := p.read()
					var end *closed
					if errors.As(err, &end) {
						equal(t, "goodbye", end.code, codec.Normal)
						break
					}
					r := codec.NewReader(b, codec.ClientLimits)
					_, k, _ := r.Frame()
					v, _ := r.ClientVolley(k)
					last = v.Seq
				}
				seqs <- last
			})
			c := dialT(t, url, Config{})
			var order []string
			c.OnClose(func(e *CloseError) { order = append(order, "close") })
			r, err := c.Join(testContext(t), "pong", nil, func(r *Room) {
				r.OnLeft(func(code codec.Code, _ string) {
					order = append(order, "left")
					equal(t, "code", code, codec.Normal)
				})
			})
			check(t, err)
			for range n {
				check(t, Emit(r, move, Move{}))
			}
			check(t, c.Close())
			check(t, c.Close())
			equal(t, "emit", code(Emit(r, move, Move{})), codec.Normal)
			equal(t, "last", <-seqs, n)
			<-c.Done()
			equal(t, "order", strings.Join(order, " "), "left close")
			equal(t, "err", code(c.Err()), codec.Normal)
			c.OnClose(func(e *CloseError) { order = append(order, "late") })
			equal(t, "late", order[len(order)-1], "late")
			_, err = c.Ping(testContext(t))
			equal(t, "ping", code(err), codec.Normal)
			_, err = c.Join(testContext(t), "pong", nil)
			equal(t, "join", code(err), codec.Normal)
			equal(t, "leave", code(r.Leave(testContext(t))), codec.Normal)
			_, err = Request(testContext(t), r, double, 1)
			equal(t, "request", code(err), codec.Normal)
			<-r.Done()
		})
	}
}

// TestCloseDrains: a client that closes hears the server out, so that its own last words are not lost to a reset.
func TestCloseDrains(t *testing.T) {
	url := serve(t, "tcp", func(p *peer) {
		p.hello(welcome())
		p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "end")), make([]byte, 100<<10))
		equal(t, "seq", p.wantVolley().Seq, 1)
		_, err := p.read()
		var end *closed
		equal(t, "end", errors.As(err, &end) && end.code == codec.Normal, true)
		for range 3 {
			time.Sleep(30 * time.Millisecond)
			_, err := p.conn.Write(make([]byte, 1<<10))
			check(t, err)
		}
	})
	c := dialT(t, url, Config{})
	_, err := c.Join(testContext(t), "pong", nil, func(r *Room) {
		On(r, said, func(string, Meta) {
			check(t, Emit(r, move, Move{}))
			_ = c.Close()
		})
	})
	_ = err // the join may lose against the end
	<-c.Done()
}

// TestCloseFreesWaiting: everything that waits for the server fails when the connection ends, and a callback may end it.
func TestCloseFreesWaiting(t *testing.T) {
	waiting := make(chan struct{})
	url := serve(t, "ws", func(p *peer) {
		p.hello(welcome())
		p.admit()
		<-waiting
		time.Sleep(20 * time.Millisecond)
		p.send(volleyTo(0, 101, 0, eventPacket(iSaid, "end"), eventPacket(iSaid, "not delivered")))
		p.end()
	})
	c := dialT(t, url, Config{})
	ctx := testContext(t)
	heard := 0
	r, err := c.Join(ctx, "pong", nil, func(r *Room) {
		On(r, said, func(string, Meta) {
			heard++
			_ = c.Close()
		})
	})
	check(t, err)
	asked := make(chan error, 1)
	check(t, Ask(r, double, 1, func(_ int, err error) { asked <- err }))
	var wg sync.WaitGroup
	for name, wait := range map[string]func() error{
		"request": func() error { _, err := Request(ctx, r, double, 1); return err },
		"join":    func() error { _, err := c.Join(ctx, "other", nil); return err },
		"ping":    func() error { _, err := c.Ping(ctx); return err },
		"wait":    func() error { _, err := Collect(r, state).Wait(ctx, 1); return err },
		"ask":     func() error { return <-asked },
	} {
		wg.Go(func() {
			if err := wait(); code(err) != codec.Normal {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	close(waiting)
	wg.Wait()
	<-c.Done()
	equal(t, "events", heard, 1)
}

// TestDialRefused: what the server or the network says instead of WELCOME.
func TestDialRefused(t *testing.T) {
	bye := func(p *peer) {
		p.want(codec.FrameHello)
		p.send(codec.AppendBye(nil, codec.Unauthorized, "who are you", 0, ""))
		p.end()
	}
	cases := []struct {
		name, scheme string
		script       func(p *peer)
		want         codec.Code
	}{
		{"bye", "ws", bye, codec.Unauthorized},
		{"bye", "tcp", bye, codec.Unauthorized},
		{"hanging up", "tcp", func(p *peer) { p.want(codec.FrameHello); _ = p.conn.Close() }, Lost},
		{"version", "tcp", func(p *peer) { p.raw([]byte{0, 0, 0, 4, 0x93, 2, 2, 0x80}); p.end() }, codec.UnsupportedVersion},
		{"another frame", "ws", func(p *peer) { p.send(codec.AppendNames(nil, 0, nil)); p.end() }, codec.UnexpectedFrame},
		{"ping first", "ws", func(p *peer) {
			p.want(codec.FrameHello)
			p.send(codec.AppendPing(nil, 5))
			p.want(codec.FramePong)
			p.send(codec.AppendBye(nil, codec.Overloaded, "", 0, ""))
			p.end()
		}, codec.Overloaded},
	}
	for _, tc := range cases {
		t.Run(tc.scheme+"/"+tc.name, func(t *testing.T) {
			_, err := Dial(testContext(t), serve(t, tc.scheme, tc.script), Config{})
			if code(err) != tc.want {
				t.Errorf("got %v, want %d", err, tc.want)
			}
		})
	}
}

// TestUpgradeRefused: answers to the upgrade that are none.
func TestUpgradeRefused(t *testing.T) {
	const ok = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	cases := []struct{ name, answer, want string }{
		{"forbidden", "HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nnot you\n", "403 instead of the WebSocket upgrade: not you"},
		{"not HTTP", "SSH-2.0-x\r\n\r\n", "not HTTP"},
		{"endless", "HTTP/1.1 101 x\r\nA: " + strings.Repeat("a", 20<<10), "too long"},
		{"cut", "HTTP/1.1 101 x\r\n", "hung up"},
		{"wrong key", ok + "Sec-WebSocket-Accept: AAAA\r\n\r\n", "Sec-WebSocket-Accept"},
		{"no upgrade", "HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n", "does not upgrade"},
		{"no connection", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n", "no Connection"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			check(t, err)
			defer ln.Close()
			go func() {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				half := len(tc.answer) - len(tc.answer)/4
				_, _ = conn.Write([]byte(tc.answer[:half]))
				time.Sleep(10 * time.Millisecond)
				_, _ = conn.Write([]byte(tc.answer[half:]))
			}()
			_, err = Dial(testContext(t), "ws://"+ln.Addr().String()+"/", Config{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestReadHead: the end of a head is found wherever the network cuts it, and what follows is kept.
func TestReadHead(t *testing.T) {
	const head = "HTTP/1.1 101 x\r\nA: b\r\n\r\n"
	got, rest, err := readHead(iotest.OneByteReader(strings.NewReader(head + "frames")))
	check(t, err)
	equal(t, "head, byte by byte", string(got)+"|"+string(rest), head+"|")
	got, rest, err = readHead(strings.NewReader(head + "frames"))
	check(t, err)
	equal(t, "head, at once", string(got)+"|"+string(rest), head+"|frames")
}

// TestUpgradeRequest: what the server sees of the URL and Config.Header.
func TestUpgradeRequest(t *testing.T) {
	url := serve(t, "ws", func(p *peer) {
		h := p.head.Header
		equal(t, "uri", p.head.RequestURI, "/volley?x=1%202")
		equal(t, "cookie", h.Get("Cookie"), "a=b")
		equal(t, "host", p.head.Host, "game.example")
		equal(t, "version", h.Get("Sec-WebSocket-Version"), "13")
		equal(t, "extensions", h.Get("Sec-WebSocket-Extensions"), "")
		user, password, _ := p.head.BasicAuth()
		equal(t, "user", user+":"+password, "ann:secret")
		p.hello(welcome())
		p.end()
	})
	url = strings.Replace(url, "ws://", "ws://ann:secret@", 1) + "?x=1%202"
	header := http.Header{"Cookie": {"a=b"}, "Host": {"game.example"}, "Sec-Websocket-Extensions": {"permessage-deflate"}}
	dialT(t, url, Config{Header: header})
	equal(t, "the caller's header is left alone", len(header), 3)
}

// TestDialGivesUp: contexts, timeouts, and addresses that are none. A password is not told.
func TestDialGivesUp(t *testing.T) {
	silent := func(p *peer) { p.end() }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, serve(t, "tcp", silent), Config{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("context: %v", err)
	}
	if _, err := Dial(t.Context(), serve(t, "ws", silent), Config{DialTimeout: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timeout: %v", err)
	}
	for _, address := range []string{"", "http://x/", "tcp://x", "ws://:80/", "ws://a b/", "ws://ann:secret@/"} {
		if _, err := Dial(t.Context(), address, Config{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// TestTLS: wss and tcps, and a certificate of nobody.
func TestTLS(t *testing.T) {
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	for _, scheme := range []string{"wss", "tcps"} {
		for _, trusted := range []bool{true, false} {
			ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: https.TLS.Certificates})
			check(t, err)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if conn.(*tls.Conn).Handshake() != nil {
					return
				}
				p := accept(t, conn, scheme == "wss")
				p.hello(welcome())
				p.admit(volleyTo(0, 101, 0, eventPacket(iSaid, "secret")))
				equal(t, "seq", p.wantVolley().Seq, 1)
				p.end()
			}()
			cfg := Config{}
			if trusted {
				cfg.TLS = &tls.Config{RootCAs: roots}
			}
			c, err := Dial(testContext(t), scheme+"://"+ln.Addr().String()+"/", cfg)
			if trusted {
				check(t, err)
				var texts *Inbox[string]
				r, err := c.Join(testContext(t), "pong", nil, func(r *Room) { texts = Collect(r, said) })
				check(t, err)
				_, err = texts.Wait(testContext(t), 1)
				check(t, err)
				check(t, Emit(r, move, Move{}))
				_ = c.Close()
				<-c.Done()
			} else if err == nil {
				t.Error("a certificate of nobody is taken")
			}
			<-ended
			_ = ln.Close()
		}
	}
}
