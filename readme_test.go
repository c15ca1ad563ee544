package volley_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/client"
	"github.com/volley-go/volley/room"
)

// The program in the README is examples/dots to the letter, has under 60 lines, and runs: a client moves its dot, a signal ends
// it.
func TestReadmeProgram(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, program, found := strings.Cut(string(readme), "```go\n")
	require.True(t, found)
	program, _, _ = strings.Cut(program, "```\n")
	source, err := os.ReadFile("examples/dots/main.go")
	require.NoError(t, err)
	require.Equal(t, string(source), program, "the README's program must be examples/dots/main.go")
	assert.Less(t, strings.Count(program, "\n"), 60)

	// The same program on a free port.
	dir := t.TempDir()
	changed := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(program, "127.0.0.1:8080", "127.0.0.1:0", 1)), 0o600))
	overlay := filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs("examples/dots/main.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, []byte(`{"Replace":{"`+original+`":"`+changed+`"}}`), 0o600))
	binary := filepath.Join(dir, "dots")
	out, err := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "./examples/dots").CombinedOutput()
	require.NoError(t, err, "%s", out)

	server := exec.Command(binary)
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	addr := listenerOf(t, server.Process.Pid)
	moveDot(t, "ws://"+addr+"/volley")
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.Wait(), "a signal ends it with status 0")
}

// moveDot plays the README's game as its page does.
func moveDot(t *testing.T, url string) {
	type point struct{ X, Y float32 }
	dots := make(chan map[uint32]point, 1)
	c, err := client.Dial(within(t), url, client.Config{})
	require.NoError(t, err)
	defer c.Close()
	r, err := c.JoinOrCreate(within(t), "dots", nil, func(r *client.Room) {
		client.On(r, room.Event[map[uint32]point]("dots"), func(d map[uint32]point, _ client.Meta) {
			select {
			case dots <- d:
			default:
			}
		})
	})
	require.NoError(t, err)
	require.NoError(t, client.Emit(r, room.Event[point]("aim"), point{X: 300, Y: 100}))
	deadline := time.After(20 * time.Second)
	for {
		select {
		case d := <-dots:
			if dot := d[r.ClientID()]; dot.X > 290 && dot.Y < 110 {
				return
			}
		case <-deadline:
			require.Fail(t, "the dot did not move to where it was sent")
		}
	}
}

// listenerOf waits until the process listens on a TCP port of 127.0.0.1 and returns the address.
func listenerOf(t *testing.T, pid int) string {
	t.Helper()
	var addr string
	require.Eventually(t, func() bool {
		addr = findListener(pid)
		return addr != ""
	}, 20*time.Second, 20*time.Millisecond)
	return addr
}

func findListener(pid int) string {
	inodes := map[string]bool{}
	links, _ := filepath.Glob(filepath.Join("/proc", itoa(pid), "fd", "*"))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "socket:[") {
			inodes[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	f, err := os.Open(filepath.Join("/proc", itoa(pid), "net", "tcp"))
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		const listening = "0A"
		if len(fields) > 9 && fields[3] == listening && inodes[fields[9]] {
			_, port, _ := strings.Cut(fields[1], ":")
			return "127.0.0.1:" + fromHex(port)
		}
	}
	return ""
}
