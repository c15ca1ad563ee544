package netio

import (
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// Whatever comes in between, the budget ends up with what is pending, and with nothing of a socket that has died.
func TestAccountsAgree(t *testing.T) {
	for seed := range uint64(50) {
		e := &Engine{started: time.Now()}
		c := &Conn{e: e}
		var all sync.WaitGroup
		for w := range 4 {
			all.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, uint64(w)))
				for range 500 {
					n := rnd.Int64N(100)
					c.pending.Add(n)
					if c.pending.Load() > 0 {
						c.account() // as Send does
					}
					c.written(int(n))
				}
				left := rnd.Int64N(100)
				c.pending.Add(left)
				c.account()
			})
		}
		dies := seed%2 == 0
		if dies {
			all.Go(func() {
				time.Sleep(time.Duration(seed) * 20 * time.Microsecond)
				c.set(flagDead)
				c.account()
			})
		}
		all.Wait()
		want := c.pending.Load()
		if dies {
			want = 0
		}
		require.EqualValues(t, want, c.accounted.Load(), "seed %d", seed)
		require.Equal(t, want, e.budget.used.Load(), "seed %d", seed)
	}
}

// Peers that do not read may together hold what MaxBuffered says: then those that hold the most are closed, and nobody else.
func TestMaxBuffered(t *testing.T) {
	const limit = 8 << 20
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			var logged logs
			s := serve(t, m, Config{MaxBuffered: limit, MaxBacklog: 4 << 20, Logger: logged.logger()}, newHub())
			buf := make([]byte, Headroom+32<<10)
			fill := func(c *Conn, bytes int) {
				for c.reason.Load() == nil && c.Pending() < bytes {
					for c.Pending() < bytes && c.Send(buf, Headroom) == nil {
						require.LessOrEqual(t, s.Stats().Buffered, limit+limit/4+1<<20)
					}
					time.Sleep(20 * time.Millisecond) // a writer may still find room in the kernel
				}
			}
			small, smallSession := s.connect(t)
			fill(smallSession.c, 256<<10)
			reader, readerSession := s.connect(t)
			read := make(chan error, 1)
			go func() { _, err := io.Copy(io.Discard, reader.r); read <- err }()
			var greedy []*recorder
			for range 5 {
				_, session := s.connect(t)
				fill(session.c, 3<<20)
				greedy = append(greedy, session)
				_ = readerSession.c.Send(buf, Headroom)
			}
			eventually(t, "it is within the limit", func() bool { st := s.Stats(); return st.Relieved > 0 && st.Buffered <= limit })
			closed := 0
			for _, session := range greedy {
				if session.c.reason.Load() != nil {
					session.wantClosed(t, codec.Overloaded)
					closed++
				}
			}
			require.Positive(t, closed)
			require.Less(t, closed, len(greedy), "those that have room again may stay")
			st := s.Stats()
			require.Equal(t, uint64(closed), st.Relieved)
			require.Equal(t, uint64(closed), st.Closed[codec.Overloaded])
			require.Equal(t, 1, strings.Count(logged.String(), "limit=MaxBuffered"), "%s", logged.String())

			// Who holds little, and who reads, is left alone.
			require.NoError(t, smallSession.c.Send(buf, Headroom))
			require.NoError(t, readerSession.c.Send(buf, Headroom))
			go func() { _, _ = io.Copy(io.Discard, small.r) }()
			smallSession.c.Close(codec.Normal, "", 0)
			readerSession.c.Close(codec.Normal, "", 0)
			require.NoError(t, <-read)
			smallSession.wantClosed(t, codec.Normal)
			for _, session := range greedy {
				session.c.cut(ErrClosed)
			}
			eventually(t, "nothing is left", func() bool { _ = small.Close(); _ = reader.Close(); return s.Stats().Buffered == 0 })
		})
	}
}

// Frames that have come in part count as well, before the first one too.
func TestPartialFramesAreBuffered(t *testing.T) {
	const limit, conns = 1 << 20, 40
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, m, Config{MaxBuffered: limit}, newHub())
			for _, opened := range []bool{false, true} {
				before := s.Stats().Relieved
				var peers []*peer
				for range conns {
					p := s.shake(t)
					if opened {
						p.send("hello")
						s.hub.next(t)
					}
					frame := p.frame(strings.Repeat("x", 60<<10))
					_, _ = p.Write(frame[:len(frame)-1])
					peers = append(peers, p)
					require.LessOrEqual(t, s.Stats().Buffered, limit+limit/4+1<<17)
				}
				eventually(t, "some are closed", func() bool { return s.Stats().Relieved-before >= conns/2 })
				eventually(t, "it is within the limit", func() bool { return s.Stats().Buffered <= limit })
				for _, p := range peers {
					_ = p.Close()
				}
				eventually(t, "nothing is left", func() bool { return s.Stats().Buffered == 0 && s.Stats().Open == 0 })
			}
			p, _ := s.connect(t)
			p.send("x")
			p.want("x")
		})
	}
}

func TestHasten(t *testing.T) {
	for _, tt := range []struct{ deadline, until, want int64 }{{0, 5, 5}, {3, 5, 3}, {7, 5, 5}} {
		c := &Conn{}
		c.deadline.Store(tt.deadline)
		c.hasten(tt.until)
		require.Equal(t, tt.want, c.deadline.Load())
	}
}
