package netio

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// Every hostile input ends with its code in BYE, in the close frame and in Closed, whichever way it came in.
func TestHostileFrames(t *testing.T) {
	eachMode(t, Config{MessagesPerSecond: -1}, func(t *testing.T, s *server) {
		for _, tt := range hostileWS {
			if s.tcp {
				break
			}
			t.Run(tt.name, func(t *testing.T) {
				p, session := s.connect(t)
				p.write(tt.input)
				p.wantEnd(tt.code)
				session.wantClosed(t, tt.code)
			})
		}
		for _, tt := range hostileTCP {
			if !s.tcp {
				break
			}
			t.Run(tt.name, func(t *testing.T) {
				p, session := s.connect(t)
				p.write(tt.input)
				p.wantEnd(tt.code)
				session.wantClosed(t, tt.code)
			})
		}
		t.Run("as the first frame", func(t *testing.T) {
			code, input := codec.WebSocketProtocol, []byte{fin | opBinary, 1, 'x'}
			if s.tcp {
				code, input = codec.TooBig, []byte{0xff, 0xff, 0xff, 0xff}
			}
			p := s.shake(t, input...)
			p.wantEnd(code)
			require.Empty(t, s.hub.sessions)
		})
	})
}

// A peer has spoken with its first whole frame after HELLO, of whichever sort.
func TestSpoke(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		require.False(t, session.c.Spoke())
		ping := p.frame("\x92\x07\x05")
		p.write(ping[:len(ping)-1])
		time.Sleep(20 * time.Millisecond)
		require.False(t, session.c.Spoke(), "not a whole frame")
		p.write(ping[len(ping)-1:])
		p.want("\x92\x08\x05")
		require.True(t, session.c.Spoke())
	})
}

func TestMalformedPing(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		p, session := s.connect(t)
		p.send("\x92\x07\xa1x")
		p.wantEnd(codec.Malformed)
		session.wantClosed(t, codec.Malformed)
	})
}

func TestRates(t *testing.T) {
	flood := func(t *testing.T, s *server, once []byte) {
		p, session := s.connect(t)
		stop := make(chan struct{})
		go func() { // until the server cuts it
			defer close(stop)
			for {
				if _, err := p.Write(once); err != nil {
					return
				}
			}
		}()
		session.wantClosed(t, codec.RateLimited)
		_, _ = io.Copy(io.Discard, p.r)
		<-stop
	}
	eachMode(t, Config{MessagesPerSecond: 10}, func(t *testing.T, s *server) {
		p := &peer{tcp: s.tcp}
		t.Run("messages", func(t *testing.T) { flood(t, s, p.frame("x")) })
		t.Run("PINGs", func(t *testing.T) { flood(t, s, p.frame("\x92\x07\x01")) })
		if s.tcp {
			return
		}
		t.Run("pings", func(t *testing.T) { flood(t, s, masked(fin|opPing, "x")) })
		t.Run("pongs", func(t *testing.T) { flood(t, s, masked(fin|opPong, "x")) })
		t.Run("fragments", func(t *testing.T) {
			p, session := s.connect(t)
			p.write(concat(masked(opBinary, "x"), bytes.Repeat(masked(opContinuation, ""), 30)))
			p.wantEnd(codec.RateLimited)
			session.wantClosed(t, codec.RateLimited)
		})
		t.Run("pings before the first frame", func(t *testing.T) {
			p := s.shake(t)
			p.write(bytes.Repeat(masked(fin|opPing, "x"), 30))
			p.wantEnd(codec.RateLimited)
		})
	})
	eachMode(t, Config{MessagesPerSecond: -1, BytesPerSecond: 1000, BytesBurst: 1 << 16, MaxMessage: 1 << 16}, func(t *testing.T, s *server) {
		p := &peer{tcp: s.tcp}
		t.Run("bytes", func(t *testing.T) { flood(t, s, p.frame(strings.Repeat("x", 1000))) })
	})
}

func TestSlowHandshakes(t *testing.T) {
	eachMode(t, Config{HandshakeTimeout: time.Second}, func(t *testing.T, s *server) {
		t.Parallel()
		t.Run("no first frame", func(t *testing.T) {
			p := s.shake(t)
			p.wantEnd(codec.HandshakeTimeout)
		})
		t.Run("half a first frame", func(t *testing.T) {
			p := s.shake(t)
			p.write(p.frame("hello")[:7])
			p.wantEnd(codec.HandshakeTimeout)
		})
		t.Run("a slow Open", func(t *testing.T) {
			release := make(chan struct{})
			h := newHub()
			h.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
				<-release
				return nil, codec.Errorf(codec.Unauthorized, "too late")
			}
			slow := serve(t, s.mode, Config{HandshakeTimeout: 2 * time.Second}, h)
			p := slow.shake(t)
			p.send("hello")
			eventually(t, "the sweeper gives up", func() bool { return slow.Stats().Closed[codec.HandshakeTimeout] == 1 })
			close(release)
			p.wantEnd(codec.HandshakeTimeout)
		})
		if s.mount {
			return
		}
		t.Run("nothing at all", func(t *testing.T) {
			nc := s.dial(t)
			if s.secure {
				_ = nc.Close() // TLS has shaken hands lazily: not at all
				return
			}
			b, err := io.ReadAll(nc)
			require.NoError(t, err)
			if !s.tcp {
				require.Contains(t, string(b), "HTTP/1.1 408 ")
			}
		})
	})
}

func TestOpenRefuses(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		for name, tt := range map[string]struct {
			f    func() (Session, error)
			code codec.Code
		}{
			"with a code":     {func() (Session, error) { return nil, codec.Errorf(codec.Unauthorized, "who?") }, codec.Unauthorized},
			"without a code":  {func() (Session, error) { return nil, io.ErrUnexpectedEOF }, codec.Internal},
			"with nothing":    {func() (Session, error) { return nil, nil }, codec.Internal},
			"by a panic":      {func() (Session, error) { panic("in Open") }, codec.Internal},
			"after a timeout": {func() (Session, error) { return nil, http.ErrHandlerTimeout }, codec.Internal},
		} {
			t.Run(name, func(t *testing.T) {
				s.hub.open = func(c *Conn, r *http.Request, first []byte) (Session, error) {
					require.Equal(t, s.tcp, r == nil)
					_ = c.Send(append(make([]byte, Headroom), "a last word"...), Headroom)
					return tt.f()
				}
				p := s.shake(t)
				p.send("hello")
				p.want("a last word")
				p.wantEnd(tt.code)
				eventually(t, "the connection is gone", func() bool { _ = p.Close(); return s.Stats().Open == 0 })
			})
		}
	})
}

func TestPanicInMessage(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		s.hub.message = func(r *recorder, frame []byte) error {
			if string(frame) == "panic" {
				panic("in Message")
			}
			return r.c.Send(append(make([]byte, Headroom), frame...), Headroom)
		}
		p, session := s.connect(t)
		other, _ := s.connect(t)
		p.send("panic")
		p.wantEnd(codec.Internal)
		session.wantClosed(t, codec.Internal)
		other.send("still here")
		other.want("still here")
	})
}

func TestMessageErrors(t *testing.T) {
	eachMode(t, Config{}, func(t *testing.T, s *server) {
		s.hub.message = func(r *recorder, frame []byte) error {
			if string(frame) == "code" {
				return codec.Errorf(codec.BadSequence, "a gap")
			}
			return io.ErrUnexpectedEOF
		}
		p, session := s.connect(t)
		p.write(concat(p.frame("code"), p.frame("never seen")))
		p.wantEnd(codec.BadSequence)
		session.wantClosed(t, codec.BadSequence)
		require.Equal(t, []string{"code"}, session.all())
		p, session = s.connect(t)
		p.send("no code")
		p.wantEnd(codec.Internal)
		session.wantClosed(t, codec.Internal)
		require.Equal(t, uint64(1), s.Stats().Closed[codec.BadSequence])
	})
}

func TestPeerCloses(t *testing.T) {
	for _, m := range modes {
		if m.tcp {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			s := serve(t, m, Config{}, newHub())
			for name, end := range map[string]struct {
				payload string
				code    codec.Code // 0: a loss
			}{
				"normal":                    {"\x03\xe8bye", codec.Normal},
				"going away":                {"\x03\xe9", codec.Normal},
				"empty":                     {"", codec.Normal},
				"we seem to be dead (4008)": {"\x0f\xa8", 0},
				"we seem to be mad (4000)":  {"\x0f\xa0what?", 0},
			} {
				t.Run(name, func(t *testing.T) {
					payload := end.payload
					p, session := s.connect(t)
					p.write(concat(masked(fin|opClose, payload), masked(fin|opBinary, "too late")))
					op, body, err := p.read()
					require.NoError(t, err)
					require.Equal(t, byte(opClose), op)
					require.Equal(t, payload[:min(2, len(payload))], body)
					_, err = p.r.ReadByte()
					require.ErrorIs(t, err, io.EOF)
					session.wantClosed(t, end.code)
					require.Empty(t, session.all())
				})
			}
		})
	}
}

func TestCloseCodes(t *testing.T) {
	for code, ok := range map[int]bool{999: false, 1000: true, 1003: true, 1004: false, 1005: false, 1006: false, 1007: true, 1014: true, 1015: false, 2999: false, 3000: true, 4999: true, 5000: false} {
		_, err := closeCode(binary.BigEndian.AppendUint16(nil, uint16(code)))
		require.Equal(t, ok, err == nil, "%d", code)
	}
}

// An out-of-band byte keeps a socket "ready" in some kernels' eyes; it must not keep a poller busy.
func TestOutOfBandDoesNotSpin(t *testing.T) {
	var polls atomic.Int64
	s := serve(t, modes[2], Config{OnPoll: func() { polls.Add(1) }}, newHub())
	p, _ := s.connect(t)
	raw, err := p.Conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	var sent error
	require.NoError(t, raw.Control(func(fd uintptr) { sent = syscall.Sendto(int(fd), []byte{1}, syscall.MSG_OOB, nil) }))
	require.NoError(t, sent)
	time.Sleep(100 * time.Millisecond)
	require.Less(t, polls.Load(), int64(10))
	p.send("x")
	p.want("x")
}

func TestPanicInCheckOrigin(t *testing.T) {
	for _, m := range []mode{modes[0], modes[4]} {
		s := serve(t, m, Config{CheckOrigin: func(r *http.Request) bool { panic("in CheckOrigin") }}, newHub())
		p := s.dial(t)
		p.write([]byte(upgradeRequest + "\r\n"))
		_, err := io.ReadAll(p.r)
		require.NoError(t, err)
		eventually(t, "no handshake is left", func() bool { return s.Stats().Handshakes == 0 })
	}
}

// Bytes that are no TLS, or stop in the middle of it, end the handshake and nothing else.
func TestHostileTLS(t *testing.T) {
	s := serve(t, modes[1], Config{HandshakeTimeout: time.Second}, newHub())
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 200 {
		nc, err := net.Dial("tcp", s.addr)
		require.NoError(t, err)
		b := make([]byte, 1+rnd.IntN(300))
		for j := range b {
			b[j] = byte(rnd.Uint32())
		}
		copy(b, []byte{22, 3, 1, 0, byte(len(b) - 5)}[:min(5, len(b))])
		if i%2 == 0 && len(b) > 9 {
			copy(b[5:], []byte{1, 0, 0, byte(len(b) - 9)}) // a ClientHello of noise
		}
		_, _ = nc.Write(b)
		_ = nc.Close()
	}
	eventually(t, "all are rejected", func() bool { return s.Stats().Rejected == 200 })
	s.connect(t)
}
