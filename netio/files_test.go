//go:build linux

package netio

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// withFewFiles makes the test binary a server with few open files, for TestOpenFilesExhausted.
const withFewFiles = "NETIO_TEST_FEW_FILES"

// The server waits while no descriptor is free: it does not spin, the connections that there are go on, and newcomers come in
// when there are descriptors again.
func TestOpenFilesExhausted(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChildWithFewFiles$", "-test.v")
	cmd.Env = append(os.Environ(), withFewFiles+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS: TestChildWithFewFiles")
	t.Log(string(out))
}

// TestChildWithFewFiles is a process of its own, so that nobody else's descriptors count. It passes at once otherwise.
func TestChildWithFewFiles(t *testing.T) {
	if os.Getenv(withFewFiles) == "" {
		return
	}
	for _, m := range []mode{modes[0], modes[2]} {
		t.Run(m.name, fewFiles(m))
	}
}

func fewFiles(m mode) func(t *testing.T) {
	return func(t *testing.T) {
		var logged logs
		s := serve(t, m, Config{Logger: logged.logger(), HandshakeTimeout: 20 * time.Second}, newHub())
		honest, _ := s.connect(t)
		rest := exhaust(t, s.addr)

		before, start := cpuTime(t), time.Now()
		for i := range 20 { // who is in goes on
			honest.send(fmt.Sprint("message ", i))
			honest.want(fmt.Sprint("message ", i))
			time.Sleep(100 * time.Millisecond)
		}
		used, took := cpuTime(t)-before, time.Since(start)
		t.Logf("%v of CPU in %v", used, took)
		require.Less(t, used, took/10, "the server spins")
		st := s.Stats()
		require.Positive(t, st.AcceptErrors)
		require.Less(t, st.AcceptErrors, uint64(20))
		require.Equal(t, 1, strings.Count(logged.String(), "accept failed"), "%s", logged.String())
		require.Contains(t, logged.String(), "too many open files")

		for _, free := range rest {
			free() // the limit stays
		}
		start = time.Now()
		p, _ := s.connect(t) // it may wait for the next try
		p.send("x")
		p.want("x")
		require.Less(t, time.Since(start), 3*time.Second)
		honest.send("still here")
		honest.want("still here")
	}
}

// exhaust opens connections that say nothing until the process has no descriptor left, and some that wait to be accepted. It
// returns what closes them all.
func exhaust(t *testing.T, addr string) (held []func()) {
	t.Helper()
	const spare = 30
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	old := limit
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	limit.Cur = uint64(len(entries) + spare) // below what the Engine has seen in New
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	t.Cleanup(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) })
	for range spare {
		nc, err := new(net.Dialer).DialContext(context.Background(), "tcp", addr)
		if err != nil {
			break
		}
		held = append(held, func() { _ = nc.Close() })
	}
	for { // whatever is left
		f, err := os.Open("/dev/null")
		if err != nil {
			return held
		}
		held = append(held, func() { _ = f.Close() })
	}
}

// cpuTime is what the process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
