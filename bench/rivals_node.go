//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// nodePlug is a server on Node. Its code is bench/rivals/node.
type nodePlug struct {
	called string
	key    string // what serve.mjs knows it by
	speaks string
	once   *sync.Once
	err    *error // of making it ready
}

// nodeRivals are the servers on Node, if there is Node.
func nodeRivals() []plug {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil
		}
	}
	var out []plug
	for _, p := range []nodePlug{
		{called: "uWebSockets.js", key: "uwebsockets", speaks: dialectBare},
		{called: "ws", key: "ws", speaks: dialectBare},
		{called: "Colyseus", key: "colyseus", speaks: dialectColyseus},
		{called: "Socket.IO", key: "socketio", speaks: dialectSocketIO},
		{called: "Socket.IO+msgpack", key: "socketio-msgpack", speaks: dialectSocketIOPack},
	} {
		p.once, p.err = new(sync.Once), new(error)
		out = append(out, p)
	}
	return out
}

func (p nodePlug) name() string    { return p.called }
func (p nodePlug) dialect() string { return p.speaks }

func (p nodePlug) launch() (launch, error) {
	if err := p.ready(); err != nil {
		return launch{}, err
	}
	l, err := p.how()
	l.name = p.called
	return l, err
}

// how is how to start it.
func (p nodePlug) how() (launch, error) {
	dir, err := nodeSources()
	return launch{argv: []string{"node", "--expose-gc", "serve.mjs", p.key}, dir: dir}, err
}

// ready installs what it needs, and sees that its libraries load here.
func (p nodePlug) ready() error {
	p.once.Do(func() {
		*p.err = func() error {
			l, err := p.how()
			if err != nil {
				return err
			}
			if err := installNode(l.dir); err != nil {
				return err
			}
			cmd := exec.Command(l.argv[0], l.argv[1:]...) // no standard input: it ends by itself
			cmd.Dir = l.dir
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("it does not load on this Node: %s", reason(out, err))
			}
			return nil
		}()
	})
	return *p.err
}

// nodeSources finds bench/rivals/node from the working directory on upwards.
func nodeSources() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		for _, sub := range []string{"rivals/node", "bench/rivals/node"} {
			at := filepath.Join(dir, sub)
			if _, err := os.Stat(filepath.Join(at, "serve.mjs")); err == nil {
				return at, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("bench/rivals/node is not here; start the bench in its repository")
		}
	}
}

// installNode runs npm ci in dir, unless what is there is of the same lock file.
func installNode(dir string) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	stamp, want := filepath.Join(dir, "node_modules", ".installed"), []byte(hex.EncodeToString(sum[:]))
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
	fmt.Fprintf(os.Stderr, "installing the servers on Node (npm ci in %s)\n", dir)
	// Nothing has to be built: what is native ships its binaries.
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %s", reason(out, err))
	}
	return os.WriteFile(stamp, want, 0o600)
}

// reason is the line of a program's output that says best why it failed.
func reason(out []byte, err error) string {
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "Error: ") || strings.Contains(line, "npm error") {
			return strings.TrimSpace(line)
		}
	}
	return err.Error()
}
