package netio

import (
	"syscall"
	"time"
	"unsafe"

	"github.com/lesismal/nbio"
	"golang.org/x/sys/unix"
)

// The two calls that a server spends its life in. They bypass nbio's Read and Write, which go through the file's layers of the
// kernel (read, write) where a socket has shorter ways (recvfrom, sendto), and through the runtime's bookkeeping for calls that
// may block; these do not, since the sockets are non-blocking. nbio's lock keeps the descriptor ours meanwhile.

// sendNow writes what the kernel takes of b at once. It returns syscall.EAGAIN if that is nothing.
func sendNow(nb *nbio.Conn, b []byte) (int, error) {
	nb.Lock()
	defer nb.Unlock()
	if closed, _ := nb.IsClosed(); closed {
		return 0, ErrClosed
	}
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(nb.Hash()),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// receiveNow reads what is there into b.
func receiveNow(nb *nbio.Conn, b []byte) (int, error) {
	nb.Lock()
	defer nb.Unlock()
	if closed, _ := nb.IsClosed(); closed {
		return 0, ErrClosed
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(nb.Hash()),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// forsake has the kernel give up within closeGrace on what the peer of a socket, which is about to be closed, does not take. By
// itself it holds those bytes, up to megabytes, for minutes.
func forsake(nb *nbio.Conn) {
	nb.Lock()
	defer nb.Unlock()
	if closed, _ := nb.IsClosed(); !closed {
		_ = unix.SetsockoptInt(nb.Hash(), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(closeGrace.Milliseconds()))
	}
}

// sleepHere sleeps on this thread.
func sleepHere(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}
