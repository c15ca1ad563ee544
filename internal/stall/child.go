//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// serverEnv makes this program, and its tests, the server.
const serverEnv = "VOLLEY_STALL_SERVER"

// child is the server's process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	url string
}

func startServer() (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(exe)} //nolint:gosec // ourselves
	c.cmd.Env = append(os.Environ(), serverEnv+"=1")
	c.cmd.Stderr = os.Stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = c.cmd.Start(); err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(bufio.NewReader(out))
	if err = c.out.Decode(&c.url); err != nil {
		_ = c.end()
		return nil, fmt.Errorf("the server did not start: %w", err)
	}
	return c, nil
}

// memory asks the server for its memory.
func (c *child) memory() (m memory, err error) {
	if _, err = io.WriteString(c.in, "\n"); err == nil {
		err = c.out.Decode(&m)
	}
	if err != nil {
		err = fmt.Errorf("the server has ended: %w", err)
	}
	return m, err
}

// end ends the server.
func (c *child) end() error {
	_ = c.in.Close()
	kill := time.AfterFunc(15*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	return c.cmd.Wait()
}
