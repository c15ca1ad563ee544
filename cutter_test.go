package volley_test

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutter is a proxy that cuts connections, each after a random number of bytes of either direction, so that frames are torn
// anywhere. A cut is an end of the stream or a reset, for both sides.
type cutter struct {
	ln   net.Listener
	mean int // bytes that a direction lives for
	calm atomic.Bool
	cuts atomic.Int64
	all  sync.WaitGroup

	mu     sync.Mutex
	rng    *rand.Rand
	target string
	conns  map[net.Conn]bool
}

func newCutter(t testing.TB, target string, mean int, seed uint64) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{ln: ln, target: target, mean: mean, rng: rand.New(rand.NewPCG(seed, 1)), conns: map[net.Conn]bool{}}
	c.all.Go(c.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		c.redirect("")
		c.all.Wait()
	})
	return c
}

// redirect cuts all connections, and leads new ones to another server.
func (c *cutter) redirect(target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = target
	for conn := range c.conns {
		_ = conn.Close()
	}
}

func (c *cutter) accept() {
	for {
		conn, err := c.ln.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		target := c.target
		c.mu.Unlock()
		server, err := net.Dial("tcp", target)
		if err != nil {
			_ = conn.Close()
			continue
		}
		c.mu.Lock()
		c.conns[conn], c.conns[server] = true, true
		budgets := [2]int{int(c.rng.ExpFloat64() * float64(c.mean)), int(c.rng.ExpFloat64() * float64(c.mean))}
		reset := c.rng.IntN(2) == 0
		c.mu.Unlock()
		end := sync.OnceFunc(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, conn := range []net.Conn{conn, server} {
				if reset {
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
				_ = conn.Close()
				delete(c.conns, conn)
			}
		})
		c.all.Go(func() { c.pass(server, conn, budgets[0], end) })
		c.all.Go(func() { c.pass(conn, server, budgets[1], end) })
	}
}

// pass copies until the budget is used up, or for as long as it is calm.
func (c *cutter) pass(to, from net.Conn, budget int, end func()) {
	defer end()
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			cut := false
			if !c.calm.Load() {
				if cut = n > budget; cut {
					n = budget
				}
				budget -= n
			}
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
			if cut {
				c.cuts.Add(1)
				return
			}
		}
		if err != nil {
			return
		}
	}
}
