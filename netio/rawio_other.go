//go:build !linux

package netio

import (
	"syscall"
	"time"

	"github.com/lesismal/nbio"
)

// sendNow leaves all of b to nbio.
func sendNow(*nbio.Conn, []byte) (int, error) { return 0, syscall.EAGAIN }

// receiveNow reads what is there into b.
func receiveNow(nb *nbio.Conn, b []byte) (int, error) { return nb.Read(b) }

// forsake leaves it to the system how long it holds what nobody takes.
func forsake(*nbio.Conn) {}

// sleepHere sleeps.
func sleepHere(d time.Duration) { time.Sleep(d) }
