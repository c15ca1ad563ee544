package netio

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// epollFile is the epoll instance of one of nbio's pollers, as a file that Go's own poller can wait for: it is readable when one
// of the poller's sockets is. A goroutine that waits there costs the scheduler nothing; one that blocks in epoll_wait, as nbio's does,
// keeps its processor until the runtime's monitor takes it away, and keeps the monitor busy with that.
type epollFile struct {
	file *os.File
	raw  syscall.RawConn
	fds  [1]unix.PollFd
}

// wait returns when a socket is ready.
func (f *epollFile) wait() error { return f.raw.Read(f.ready) }

func (f *epollFile) ready(fd uintptr) bool {
	f.fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	n, err := unix.Poll(f.fds[:], 0)
	return n > 0 || err != nil && err != unix.EINTR //nolint:errorlint // an errno
}

func (f *epollFile) close() {
	if f != nil {
		_ = f.file.Close()
	}
}

// findEpoll returns the epoll instance that has the descriptor fd on its list, or nil where the system does not tell. nbio keeps it to
// itself; the kernel lists what each instance watches.
func findEpoll(fd int) *epollFile {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil || !watches(info, fd) {
			continue
		}
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		return openEpoll(n)
	}
	return nil
}

// watches reports whether an epoll instance's fdinfo names the descriptor.
func watches(info []byte, fd int) bool {
	for line := range bytes.Lines(info) {
		var n int
		if _, err := fmt.Sscanf(string(line), "tfd: %d", &n); err == nil && n == fd {
			return true
		}
	}
	return false
}

func openEpoll(fd int) *epollFile {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if err := unix.SetNonblock(own, true); err != nil { // so that os takes it for one that can be waited for
		_ = unix.Close(own)
		return nil
	}
	f := os.NewFile(uintptr(own), "epoll")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil
	}
	return &epollFile{file: f, raw: raw}
}
