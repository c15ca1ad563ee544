//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeRivals are the servers that run on Node. Their code is in bench/rivals/node.
func nodeRivals() []plug {
	return []plug{
		&nodeRival{called: "uWebSockets.js", key: "uwebsockets", speaks: dialectBare},
		&nodeRival{called: "ws", key: "ws", speaks: dialectBare},
		&nodeRival{called: "Colyseus", key: "colyseus", speaks: dialectColyseus},
		&nodeRival{called: "Socket.IO", key: "socketio", speaks: dialectSocketIO},
		&nodeRival{called: "Socket.IO+msgpack", key: "socketio-msgpack", speaks: dialectSocketIOPack},
	}
}

// nodeRival is one of them.
type nodeRival struct {
	called string
	key    string // what serve.mjs knows it by
	speaks string
	dir    string // of serve.mjs, once it is installed
}

func (r *nodeRival) name() string    { return r.called }
func (r *nodeRival) dialect() string { return r.speaks }
func (r *nodeRival) short() string   { return r.key }

func (r *nodeRival) launch() (launch, error) {
	if r.dir == "" {
		return launch{}, fmt.Errorf("%s has not been installed", r.called)
	}
	return launch{name: r.called, argv: r.argv(), dir: r.dir}, nil
}

// argv starts it. A server that is idle gives its garbage back when it is told to.
func (r *nodeRival) argv() []string { return []string{"node", "--expose-gc", "serve.mjs", r.key} }

// prepare installs what it needs, and sees that its libraries load here.
func (r *nodeRival) prepare(ctx context.Context, say func(format string, args ...any)) error {
	if r.dir != "" {
		return nil
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("there is no %s; install Node 20 or later and npm", tool)
		}
	}
	dir, err := nodeSources()
	if err != nil {
		return err
	}
	if err := installNode(ctx, dir, say); err != nil {
		return err
	}
	argv := r.argv()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) // it has no input, so it ends by itself
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("its libraries do not load here: %s", reason(out, err))
	}
	r.dir = dir
	return nil
}

// nodeSources is bench/rivals/node: beside this file, or in the clone that the command is run in.
func nodeSources() (string, error) {
	at := []string{filepath.Join("bench", "rivals", "node")}
	if _, file, _, ok := runtime.Caller(0); ok {
		at = append(at, filepath.Join(filepath.Dir(file), "rivals", "node"))
	}
	for _, dir := range at {
		if _, err := os.Stat(filepath.Join(dir, "serve.mjs")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("bench/rivals/node is not here; start the bench in a clone of the repository")
}

// installNode runs npm ci in dir, unless what is there is of the same lock file.
func installNode(ctx context.Context, dir string, say func(format string, args ...any)) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	stamp, want := filepath.Join(dir, "node_modules", ".volley"), []byte(hex.EncodeToString(sum[:]))
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil { // another bench may be at it
		return err
	}
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, want) {
		return nil
	}
	say("installing the servers that run on Node, with npm ci in %s", dir)
	// No scripts: what is native there ships its binaries.
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %s", reason(out, err))
	}
	return os.WriteFile(stamp, want, 0o600)
}

// reason is the line of a program's output that says best why it failed.
func reason(out []byte, err error) string {
	for _, mark := range []string{"Error: ", "npm error ", "node: "} {
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, mark) {
				return strings.TrimSpace(line)
			}
		}
	}
	return err.Error()
}
