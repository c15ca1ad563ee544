package netio

import (
	"bufio"
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// edit changes one line of the good upgrade request; "" drops it.
func edit(old, new string) string {
	return strings.Replace(upgradeRequest, old, new, 1) + "\r\n"
}

func TestUpgradeRefusals(t *testing.T) {
	const key, host = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Host: game.example\r\n"
	for _, m := range []mode{modes[0], modes[1], modes[4]} {
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			for _, tt := range []struct {
				name, request string
				status        int
			}{
				{"POST", edit("GET", "POST"), 405},
				{"HTTP/1.0", edit("HTTP/1.1", "HTTP/1.0"), 400},
				{"no Upgrade", edit("Upgrade: websocket\r\n", ""), 426},
				{"another Upgrade", edit("Upgrade: websocket", "Upgrade: h2c"), 426},
				{"no Connection", edit("Connection: keep-alive, Upgrade\r\n", ""), 400},
				{"Connection without Upgrade", edit("keep-alive, Upgrade", "keep-alive"), 400},
				{"no version", edit("Sec-WebSocket-Version: 13\r\n", ""), 426},
				{"version 8", edit("Version: 13", "Version: 8"), 426},
				{"no key", edit(key, ""), 400},
				{"a short key", edit(key, "Sec-WebSocket-Key: c2hvcnQ=\r\n"), 400},
				{"a key of 24 letters that is 18 bytes", edit(key, "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc4\r\n"), 400},
				{"two versions", edit(key, key+"Sec-WebSocket-Version: 8\r\n"), 426},
				{"no Host", edit(host, ""), 400},
				{"two Hosts", edit(host, host+"host: evil.example\r\n"), 400},
				{"a blank before a colon", edit(key, key+"X-A : b\r\n"), 400},
				{"a bare CR", edit(key, key+"X-A: b\rc\r\n"), 400},
				{"NUL", edit(key, key+"X-A: b\x00\r\n"), 400},
				{"two keys", edit(key, key+key), 400},
				{"a body", edit(key, key+"Content-Length: 5\r\n") + "hello", 400},
				{"a chunked body", edit(key, key+"Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400},
				{"another origin", edit(key, key+"Origin: https://evil.example\r\n"), 403},
				{"an origin that only begins like ours", edit(key, key+"Origin: https://game.example.evil.example\r\n"), 403},
				{"origin null", edit(key, key+"Origin: null\r\n"), 403},
				{"no URL as origin", edit(key, key+"Origin: game.example\r\n"), 403},
				{"two origins", edit(key, key+"Origin: https://game.example\r\nOrigin: https://game.example\r\n"), 403},
				{"our origin", edit(key, key+"Origin: https://GAME.example\r\n"), 101},
				{"odd but right", edit("Upgrade: websocket", "upgrade: h2c, WebSocket"), 101},
			} {
				t.Run(tt.name, func(t *testing.T) {
					p := s.dial(t)
					p.write([]byte(tt.request))
					res, err := http.ReadResponse(p.r, nil)
					require.NoError(t, err)
					require.Equal(t, tt.status, res.StatusCode)
					if tt.status == http.StatusSwitchingProtocols {
						p.send("hello")
						require.Equal(t, "hello", s.hub.next(t).first)
						return
					}
					body, err := io.ReadAll(res.Body)
					require.NoError(t, err)
					require.NotEmpty(t, body)
					if tt.status == http.StatusUpgradeRequired {
						require.Equal(t, "websocket", res.Header.Get("Upgrade"))
						require.Equal(t, "13", res.Header.Get("Sec-WebSocket-Version"))
					}
				})
			}
		})
	}
}

func TestHostileHeads(t *testing.T) {
	for _, m := range modes[:2] {
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{HandshakeTimeout: time.Second}, newHub())
			for name, tt := range map[string]struct {
				head   string
				status string
			}{
				"a flood of headers": {"GET /volley HTTP/1.1\r\n" + strings.Repeat("X-Flood: yes\r\n", 1000), " 431 "},
				"one endless line":   {strings.Repeat("x", 20<<10), " 431 "},
				"no HTTP":            {"HELLO\r\n\r\n", " 400 "},
				"half a head":        {"GET /volley HTTP/1.1\r\nHost: x\r\n", " 408 "},
			} {
				t.Run(name, func(t *testing.T) {
					p := s.dial(t)
					p.write([]byte(tt.head))
					line, err := p.r.ReadString('\n')
					require.NoError(t, err)
					require.Contains(t, line, tt.status)
					_, err = io.ReadAll(p.r)
					require.NoError(t, err, "the answer is whole and the end is proper")
				})
			}
			require.Zero(t, s.Stats().Opened)
			eventually(t, "no handshake is left", func() bool { return s.Stats().Handshakes == 0 })
		})
	}
}

// A socket of pages keeps working, byte by byte too, and may upgrade later: at the Engine's path and where the user has mounted
// it.
func TestPages(t *testing.T) {
	for _, m := range modes[:2] {
		for _, path := range []string{"/volley", "/other"} {
			t.Run(m.name+path, func(t *testing.T) {
				s := serve(t, m, Config{}, newHub())
				p := s.dial(t)
				for i := range 3 {
					for _, b := range []byte("GET /page HTTP/1.1\r\nHost: x\r\n\r\n") {
						p.write([]byte{b})
					}
					res, err := http.ReadResponse(p.r, nil)
					require.NoError(t, err)
					body, err := io.ReadAll(res.Body)
					require.NoError(t, err)
					require.Contains(t, string(body), map[bool]string{false: "tls: false", true: "tls: true"}[m.secure], "request %d", i)
				}
				require.EqualValues(t, 1, s.totals.pageConns.Load())
				upgrade := strings.Replace(upgradeRequest, "/volley", path, 1) + "\r\n"
				p.write(append([]byte(upgrade), concat(p.frame("hello"), p.frame("more"))...))
				res, err := http.ReadResponse(p.r, nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
				p.want("more")
				p.send("on")
				p.want("on")
				session := s.hub.next(t)
				require.Equal(t, "hello", session.first)
				session.c.wmu.Lock()
				require.NotNil(t, session.c.nb, "the socket has moved to a poller")
				session.c.wmu.Unlock()
				require.EqualValues(t, 0, s.totals.pageConns.Load())
			})
		}
		t.Run(m.name+" not found", func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			p := s.dial(t)
			p.write([]byte("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
			res, err := http.ReadResponse(p.r, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusNotFound, res.StatusCode)
		})
	}
}

// A standard client over TLS of every version gets whole pages, and its goodbye.
func TestPagesWithStandardClient(t *testing.T) {
	for _, version := range []uint16{stdtls.VersionTLS12, stdtls.VersionTLS13} {
		s := serve(t, modes[1], Config{}, newHub())
		tr := &http.Transport{TLSClientConfig: &stdtls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}, ForceAttemptHTTP2: true}
		client := &http.Client{Transport: tr, Timeout: 5 * time.Second}
		for range 5 {
			res, err := client.Get("https://" + s.addr + "/page")
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1", res.Proto)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, "page over tls: true", string(body))
			_ = res.Body.Close()
		}
		tr.CloseIdleConnections()
	}
}

func TestTLSClientCertificate(t *testing.T) {
	for _, version := range []uint16{stdtls.VersionTLS12, stdtls.VersionTLS13} {
		h := newHub()
		e, err := New(Config{Logger: quiet()}, h)
		require.NoError(t, err)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		cert := certificate(t)
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		require.NoError(t, err)
		cas := x509.NewCertPool()
		cas.AddCert(leaf)
		names := make(chan string, 1)
		h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
			names <- r.TLS.PeerCertificates[0].DNSNames[0] + " " + r.TLS.ServerName
			return nil, codec.Errorf(codec.Normal, "seen")
		}
		go func() {
			_ = e.Serve(ln, &stdtls.Config{
				GetCertificate: func(info *stdtls.ClientHelloInfo) (*stdtls.Certificate, error) { return &cert, nil },
				ClientAuth:     stdtls.RequireAndVerifyClientCert,
				ClientCAs:      cas,
			}, "/volley", nil)
		}()
		conf := &stdtls.Config{InsecureSkipVerify: true, ServerName: "localhost", MaxVersion: version}
		nc, err := stdtls.Dial("tcp", ln.Addr().String(), conf)
		if err == nil { // TLS 1.3 tells later
			_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
			_, err = nc.Read(make([]byte, 1))
			_ = nc.Close()
		}
		require.ErrorContains(t, err, "certificate")
		conf.Certificates = []stdtls.Certificate{cert}
		nc, err = stdtls.Dial("tcp", ln.Addr().String(), conf)
		require.NoError(t, err)
		p := &peer{Conn: nc, t: t, r: bufio.NewReader(nc)}
		p.write(append([]byte(upgradeRequest+"\r\n"), p.frame("hello")...))
		require.Equal(t, "localhost localhost", <-names)
		_ = nc.Close()
		require.NoError(t, e.Shutdown(context.Background()))
	}
}

func TestFull(t *testing.T) {
	for _, m := range []mode{modes[0], modes[2], modes[4]} {
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{MaxConns: 1}, newHub())
			first, session := s.connect(t)
			p := s.dial(t)
			if m.tcp {
				p.wantEnd(codec.Overloaded)
			} else {
				p.write([]byte(upgradeRequest + "\r\n"))
				res, err := http.ReadResponse(p.r, nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
				require.NotEmpty(t, res.Header.Get("Retry-After"))
			}
			_ = first.Close()
			session.wantClosed(t, 0)
			eventually(t, "there is room again", func() bool { return s.Stats().Open == 0 })
			_, _ = s.connect(t)
		})
	}
}

func TestTooManyHandshakes(t *testing.T) {
	s := serve(t, modes[0], Config{MaxHandshakes: 2}, newHub())
	a, b := s.dial(t), s.dial(t)
	eventually(t, "both are there", func() bool { return s.Stats().Handshakes == 2 })
	_, err := io.ReadAll(s.dial(t))
	require.NoError(t, err, "closed at once")
	require.Equal(t, uint64(1), s.Stats().Refused)
	_, _ = a.Close(), b.Close()
	eventually(t, "there is room again", func() bool { return s.Stats().Handshakes == 0 })
	s.connect(t)
}
