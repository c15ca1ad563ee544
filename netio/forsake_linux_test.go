package netio

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/codec"
)

// A peer that reads nothing is cut off, and the kernel does not hold what it did not take for long either.
func TestKernelForsakesDeafPeers(t *testing.T) {
	s := serve(t, modes[2], Config{}, newHub())
	p, session := s.connect(t)
	require.NoError(t, p.Conn.(*net.TCPConn).SetReadBuffer(4<<10))
	for session.c.Send(make([]byte, Headroom+32<<10), Headroom) == nil {
	}
	session.wantClosed(t, codec.SlowConsumer)
	at := p.LocalAddr().(*net.TCPAddr)
	require.True(t, kernelHolds(t, at), "the socket waits for its peer")
	eventuallyWithin(t, 4*closeGrace, "the kernel holds nothing", func() bool { return s.Stats().Open == 0 && !kernelHolds(t, at) })
}

// kernelHolds reports whether a socket with that far end has something unsent, be it the process's or nobody's.
func kernelHolds(t *testing.T, far *net.TCPAddr) bool {
	table, err := os.ReadFile("/proc/net/tcp")
	require.NoError(t, err)
	ip := far.IP.To4()
	rem := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], far.Port)
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 4 && f[2] == rem && !strings.HasPrefix(f[4], "00000000:") {
			return true
		}
	}
	return false
}

// eventuallyWithin waits for something that takes seconds.
func eventuallyWithin(t *testing.T, most time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !ok(); time.Sleep(50 * time.Millisecond) {
		require.True(t, time.Now().Before(end), what)
	}
}
