package volley

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/netio"
)

const (
	// partingTime bounds what of a drain's time is kept for the connections, after the rooms.
	partingTime = 2 * time.Second
	// partingPoll is how often a drain looks for connections whose rooms have ended.
	partingPoll = 20 * time.Millisecond
)

// Close ends the server: no more connections, no more joins. Rooms whose games have a hook Drain go on until the games close
// them, the others end at once; a connection is told codec.GoingAway, with a delay of its own (Config.DrainSpread), once its last
// room has told it why it ended, behind everything that was sent to it before. When ctx ends before all have gone they are cut
// off, and Close returns an error that says what was left; netio.ErrCut if it was peers alone. Without a deadline, ctx gets
// Config.DrainTimeout. The second call waits for the first.
func (s *Server) Close(ctx context.Context) error { return errors.Join(s.close(ctx)) }

// close is Close, with what went wrong here apart from peers that were too slow.
func (s *Server) close(ctx context.Context) (failed, cut error) {
	if !s.beginClose() {
		select {
		case <-s.done:
			return nil, nil
		case <-ctx.Done():
			return ctx.Err(), nil
		}
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		deadline = time.Now().Add(s.cfg.DrainTimeout)
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	failed = s.drainRooms(ctx, deadline)
	if s.sessions != nil {
		s.sessions.close()
	}
	stopped := make(chan error, 1)
	go func() { // a callback that never returns must not hold up the end of the process
		var err error
		if s.engine != nil {
			err = s.engine.Shutdown(ctx)
		}
		s.sched.Close()
		stopped <- err
	}()
	select {
	case cut = <-stopped:
		if !errors.Is(cut, netio.ErrCut) {
			failed, cut = errors.Join(failed, cut), nil
		}
	case <-afterwards(ctx, time.Second):
		failed = errors.Join(failed, errors.New("volley: a callback of a room, or Config.Auth, is still running"))
	}
	close(s.done)
	return failed, cut
}

// beginClose stops listening. False: somebody else has begun.
func (s *Server) beginClose() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.closed = true
	for _, ln := range []net.Listener{s.web, s.tcp} {
		if ln != nil {
			_ = ln.Close()
		}
	}
	return true
}

// drainRooms ends the rooms and, as they end, the connections that are in none any more.
func (s *Server) drainRooms(ctx context.Context, deadline time.Time) error {
	left := time.Until(deadline)
	ended := make(chan error, 1)
	if s.engine != nil {
		s.engine.BeginDrain(deadline)
	}
	if s.sessions != nil {
		s.sessions.close() // nobody can come back
	}
	go func() {
		ended <- s.Host.Drain(ctx, deadline.Add(-min(left/4, partingTime)), codec.Errorf(codec.RoomClosed, "the server shuts down"))
	}()
	poll := time.NewTicker(partingPoll)
	defer poll.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-poll.C:
			if s.engine != nil {
				s.engine.GoAway(roomless)
			}
		}
	}
}

// roomless reports whether a connection has no rooms.
func roomless(ns netio.Session) bool {
	s, ok := ns.(*session)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		if c != nil {
			return false
		}
	}
	return true
}

// afterwards returns a channel that is closed d after ctx has ended.
func afterwards(ctx context.Context, d time.Duration) <-chan struct{} {
	ended := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(d, func() { close(ended) }) })
	return ended
}
