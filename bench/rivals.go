//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// rivals are the servers besides Volley that this program can start. Their sources are in bench/rivals, in modules of their own.
func rivals() []plug { return slices.Concat(compiledRivals(), nodeRivals()) }

// preparer is a plug that takes a while before it can be launched the first time.
type preparer interface {
	// prepare does what is needed, and says so. What it has done already it does not do again.
	prepare(ctx context.Context, say func(format string, args ...any)) error
}

// tcpSpeaker is a plug that serves TCP and no WebSockets.
type tcpSpeaker interface{ speaksTCP() bool }

func overTCP(p plug) bool {
	s, ok := p.(tcpSpeaker)
	return ok && s.speaksTCP()
}

// compiledRivals are those in Go and C. procs is GOMAXPROCS, the best one of 1 to 3 when there is one core, by what a frame of
// the workload rooms costs. nbio with one P loses ticks: its poller keeps it for a while when it waits for sockets. gnet's frames
// cost a third less when there is a P to spare. For the others more Ps make a frame dearer or change nothing.
func compiledRivals() []plug {
	return []plug{
		&compiled{called: "floor"}, // C: no library, no more system calls than there have to be
		&compiled{called: "nbio", procs: 2},
		&compiled{called: "nbio-tuned", procs: 2},
		&compiled{called: "gws", procs: 1},
		&compiled{called: "gobwas", procs: 1},
		&compiled{called: "gnet", procs: 3, tcp: true},
	}
}

// compiled is a rival in Go, or in C if it is the floor. Its sources are in the directory of its name.
type compiled struct {
	called string
	procs  int
	tcp    bool
	exe    string // once it is built
}

func (r *compiled) name() string    { return r.called }
func (*compiled) dialect() string   { return dialectBare }
func (r *compiled) speaksTCP() bool { return r.tcp }

func (r *compiled) launch() (launch, error) {
	if r.exe == "" {
		return launch{}, fmt.Errorf("%s has not been built", r.called)
	}
	return launch{name: r.called, argv: []string{r.exe}, procs: r.procs}, nil
}

// prepare builds the program. The go command knows when there is nothing to do; the C program takes no time.
func (r *compiled) prepare(ctx context.Context, say func(format string, args ...any)) error {
	if r.exe != "" {
		return nil
	}
	src, err := rivalsDir()
	if err != nil {
		return err
	}
	dir, err := programs(src)
	if err != nil {
		return err
	}
	exe := filepath.Join(dir, r.called)
	argv := []string{"go", "build", "-o", exe, "./" + r.called}
	if r.called == "floor" {
		if argv, err = compileC(filepath.Join(src, r.called), exe); err != nil {
			return err
		}
	}
	say("building %s with %s, into %s", r.called, argv[0], dir)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // a compiler
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off") // the module is on its own, wherever the clone lies
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", argv[0], err, complaint(stderr.String()))
	}
	r.exe = exe
	return nil
}

// compileC is how the C compiler is called, $CC or cc.
func compileC(src, exe string) ([]string, error) {
	cc := os.Getenv("CC")
	for _, name := range []string{"cc", "gcc", "clang"} {
		if cc != "" {
			break
		}
		if _, err := exec.LookPath(name); err == nil {
			cc = name
		}
	}
	if cc == "" {
		return nil, errors.New("there is no C compiler; install one, on Debian with: apt-get install gcc libc6-dev")
	}
	files, err := filepath.Glob(filepath.Join(src, "*.c"))
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{cc, "-O2", "-std=gnu11", "-o", exe}, files), nil
}

// complaint is the line of a compiler's that says what is wrong.
func complaint(stderr string) string {
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go: downloading") {
			return line
		}
	}
	return "it does not say why"
}

// rivalsDir is where the rivals' sources are: beside this file, or in the clone that the command is run in.
func rivalsDir() (string, error) {
	var at []string
	if _, file, _, ok := runtime.Caller(0); ok {
		at = append(at, filepath.Join(filepath.Dir(file), "rivals"))
	}
	if out, err := exec.Command("go", "env", "GOMOD").Output(); err == nil {
		at = append(at, filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "bench", "rivals"))
	}
	for _, dir := range at {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("the rivals' sources are not here: run go run ./bench in a clone of the repository")
}

// programs is where what is built from src is kept, in the user's cache.
func programs(src string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	clone := sha256.Sum256([]byte(src)) // another clone may have other sources
	dir := filepath.Join(cache, "volley-bench", fmt.Sprintf("%x", clone[:6]))
	return dir, os.MkdirAll(dir, 0o755)
}
