package netio

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/lesismal/nbio"
)

// probe is the session of a socket that finds out whether its poller runs.
type probe struct{ ran chan struct{} }

func (p *probe) poll(nb *nbio.Conn, buf []byte) {
	if n, _ := nb.Read(buf); n > 0 {
		close(p.ran)
	}
}

// probePollers returns when every poller has handled an event. A poller of nbio that is stopped before its goroutine has
// begun never stops: it clears its stop flag when it begins, and then spins. An Engine that is shut down right after New would
// hang without this.
func (e *Engine) probePollers() error {
	left := make(map[int]struct{}, e.cfg.Pollers)
	for i := range e.cfg.Pollers {
		left[i] = struct{}{}
	}
	var pairs []*nbio.Conn
	defer func() {
		for _, nb := range pairs {
			_ = nb.Close()
		}
	}()
	for range 16 * e.cfg.Pollers { // nbio picks the poller by the descriptor's number
		if len(left) == 0 {
			return nil
		}
		nb, far, err := socketPair()
		if err != nil {
			return err
		}
		pairs = append(pairs, nb)
		if _, wanted := left[nb.Hash()%e.cfg.Pollers]; wanted {
			err = e.probePoller(nb, far)
			delete(left, nb.Hash()%e.cfg.Pollers)
		}
		_ = syscall.Close(far)
		if err != nil {
			return err
		}
	}
	return errors.New("netio: not every poller could be probed")
}

func (e *Engine) probePoller(nb *nbio.Conn, far int) error {
	p := &probe{ran: make(chan struct{})}
	setSession(nb, p)
	if _, err := e.nbio.AddConn(nb); err != nil {
		return err
	}
	if _, err := syscall.Write(far, []byte{1}); err != nil {
		return err
	}
	select {
	case <-p.ran:
		return nil
	case <-time.After(10 * time.Second):
		return errors.New("netio: a poller does not run")
	}
}

// socketPair returns two connected sockets, one for a poller.
func socketPair() (*nbio.Conn, int, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, 0, err
	}
	f := os.NewFile(uintptr(fds[0]), "probe")
	nc, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		_ = syscall.Close(fds[1])
		return nil, 0, err
	}
	nb, err := nbio.NBConn(nc)
	if err != nil {
		_ = nc.Close()
		_ = syscall.Close(fds[1])
		return nil, 0, err
	}
	return nb, fds[1], nil
}
