//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// conductor starts a bench that would run for a minute, in a process of its own, and waits until its children run.
func conductor(t *testing.T) (cmd *exec.Cmd, stderr *bytes.Buffer, children func() []string) {
	// The children carry our mark, so that they can be told from those of other tests.
	mark := "volley-bench-" + strings.ReplaceAll(t.Name(), "/", "-")
	cmd = exec.Command(os.Args[0], "-test.run", "^TestConductor$")
	cmd.Env = append(os.Environ(), "BENCH_CONDUCTOR="+mark)
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	children = func() (pids []string) {
		entries, err := os.ReadDir("/proc")
		require.NoError(t, err)
		for _, e := range entries {
			env, err := os.ReadFile("/proc/" + e.Name() + "/environ")
			args, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
			if err == nil && bytes.Contains(env, []byte("BENCH_CONDUCTOR="+mark)) && bytes.Contains(args, []byte("\x00child\x00")) {
				pids = append(pids, e.Name())
			}
		}
		return pids
	}
	require.Eventually(t, func() bool { return len(children()) == 2 }, 20*time.Second, 20*time.Millisecond)
	return cmd, stderr, children
}

// TestConductor is the bench of the tests below.
func TestConductor(t *testing.T) {
	if os.Getenv("BENCH_CONDUCTOR") == "" {
		return // not a child of theirs
	}
	os.Exit(run([]string{"rooms", "-rooms", "3", "-window", "60s"}, streams{os.Stdout, os.Stderr}))
}

func TestCtrlCEndsEverything(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			cmd, stderr, children := conductor(t)
			require.NoError(t, cmd.Process.Signal(signal))
			err := cmd.Wait()
			require.Error(t, err)
			require.Equal(t, 1, cmd.ProcessState.ExitCode())
			require.Contains(t, stderr.String(), errInterrupted.Error())
			require.Empty(t, children())
		})
	}
}

func TestNothingOutlivesItsConductor(t *testing.T) {
	cmd, _, children := conductor(t)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return len(children()) == 0 }, 10*time.Second, 20*time.Millisecond)
}
