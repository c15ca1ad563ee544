//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is a process that this one has started: a server or a load generator.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	pipe *pipe
	mu   sync.Mutex    // one command at a time
	gone chan struct{} // closed when the process has ended
}

// launch says how to start a child.
type launch struct {
	name  string
	argv  []string
	dir   string
	cpus  []int // where it may run; empty: anywhere
	procs int   // GOMAXPROCS; 0: its own choice
	gogc  int   // GOGC; 0: its own choice
}

// ourselves is the launch of a child of this program.
func ourselves(role string) (launch, error) {
	exe, err := os.Executable()
	if err != nil {
		return launch{}, err
	}
	return launch{name: role, argv: []string{exe, "child", role}}, nil
}

// start starts a child. It is killed when ctx ends and when this process does, however that happens, and it is in a process
// group of its own, so that a Ctrl-C is heard here alone.
func start(ctx context.Context, l launch) (*child, error) {
	c := &child{name: l.name, gone: make(chan struct{})}
	c.cmd = exec.Command(l.argv[0], l.argv[1:]...) //nolint:gosec // ourselves, or what the user names
	c.cmd.Dir = l.dir
	c.cmd.Env = os.Environ()
	if l.procs > 0 {
		c.cmd.Env = append(c.cmd.Env, "GOMAXPROCS="+strconv.Itoa(l.procs))
	}
	if l.gogc > 0 && os.Getenv("GOGC") == "" {
		c.cmd.Env = append(c.cmd.Env, "GOGC="+strconv.Itoa(l.gogc))
	}
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(c.cmd, l.cpus); err != nil {
		return nil, fmt.Errorf("start %s: %w", l.name, err)
	}
	c.in, c.pipe = in, newPipe(out, in)
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	go func() {
		state, _ := c.cmd.Process.Wait() // not cmd.Wait, which would close our end of its output before it is read
		_ = state
		stop()
		close(c.gone)
	}()
	return c, nil
}

// startOn starts cmd on some cores: a process inherits the affinity of the thread that starts it, and so do its threads. A Go
// program then takes their number for that of the machine.
func startOn(cmd *exec.Cmd, cpus []int) error {
	if len(cpus) == 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("cores %v: %w; -pin=false leaves processes where the kernel puts them", cpus, err)
	}
	err := cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// pid is the child's process id.
func (c *child) pid() int { return c.cmd.Process.Pid }

// ask sends v and waits for the answer; progress hears what comes before it, and may be nil.
func (c *child) ask(v any, progress func(n int)) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.pipe.send(v); err != nil {
		return reply{}, fmt.Errorf("%s has ended: %w", c.name, err)
	}
	for {
		var r reply
		if err := c.pipe.receive(&r); err != nil {
			return reply{}, fmt.Errorf("%s has ended: %w", c.name, err)
		}
		switch {
		case r.Err != "":
			return r, fmt.Errorf("%s: %s", c.name, r.Err)
		case r.Progress == nil:
			return r, nil
		case progress != nil:
			progress(*r.Progress)
		}
	}
}

// end closes the child's input, which is the word to end, and kills it if it has not within a while.
func (c *child) end() {
	_ = c.in.Close()
	select {
	case <-c.gone:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.gone
	}
}
