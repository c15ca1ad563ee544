package netio

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lesismal/nbio"

	"github.com/volley-go/volley/codec"
)

// Handler decides about new connections.
type Handler interface {
	// Open gets a connection and its first frame, which is valid during the call only. It runs on the connection's own
	// goroutine and may block (that counts towards Config.HandshakeTimeout). What it sends goes out when it returns. r is the
	// upgrade request, nil for TCP. An error refuses the connection: a *codec.Error with its code, any other with Internal.
	Open(c *Conn, r *http.Request, first []byte) (Session, error)
}

// closeGrace is how long a closing connection may take to close its side.
const closeGrace = 2 * time.Second

// Engine serves connections.
type Engine struct {
	// Static after New.
	cfg      Config
	handler  Handler
	log      *slog.Logger
	pool     *bufPool
	nbio     *nbio.Engine
	started  time.Time
	msgs     rate
	bytes    rate
	stopping chan struct{} // closed under mu when Shutdown begins
	done     chan struct{} // closed when the sweeper and the dispatcher have to end

	shards   [shardCount]shard
	counters [shardCount]counters
	totals   totals
	queue    dispatchQueue
	pollers  []poller
	warned   atomic.Int64 // the clock: when a refused socket was last logged

	background sync.WaitGroup // sweeper and dispatcher
	serving    sync.WaitGroup // accept loops, and the goroutines of connections

	mu        sync.Mutex // guards the rest
	listeners map[net.Listener]struct{}
	pages     map[*pageServer]struct{}
	nursery   map[net.Conn]struct{} // accepted sockets that are no Conn yet
}

// New starts an Engine: its pollers, its sweeper and its dispatcher run when New returns.
func New(cfg Config, h Handler) (*Engine, error) {
	quietNBIO()
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:       cfg,
		handler:   h,
		log:       cfg.Logger,
		pool:      new(bufPool),
		started:   time.Now(),
		msgs:      newRate(cfg.MessagesPerSecond, cfg.MessageBurst),
		bytes:     newRate(cfg.BytesPerSecond, cfg.BytesBurst),
		stopping:  make(chan struct{}),
		done:      make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		pages:     make(map[*pageServer]struct{}),
		nursery:   make(map[net.Conn]struct{}),
	}
	e.pollers = make([]poller, cfg.Pollers)
	for i := range e.pollers {
		e.pollers[i].e, e.pollers[i].index = e, i
	}
	e.totals.closed = make(map[codec.Code]uint64)
	e.queue.wake = make(chan struct{}, 1)
	e.nbio = nbio.NewEngine(nbio.Config{
		Name:           "netio",
		NPoller:        cfg.Pollers,
		ReadBufferSize: cfg.ReadBuffer,
		// Send keeps to MaxBacklog behind one frame; what comes on top is BYE, PINGs and what TLS adds.
		MaxWriteBufferSize: maxWriteBuffer(cfg.MaxBacklog),
		EpollMod:           nbio.EPOLLLT,
		BodyAllocator:      e.pool,
	})
	e.nbio.OnRead(e.onRead)
	e.nbio.OnWrittenSize(e.onWritten)
	e.nbio.OnClose(e.onClose)
	if err := e.nbio.Start(); err != nil {
		return nil, err
	}
	err := e.probePollers()
	if err == nil {
		err = e.startGathering()
	}
	if err != nil {
		e.nbio.Stop()
		e.stopGathering()
		return nil, err
	}
	e.background.Add(2)
	go e.sweep()
	go e.runDispatcher()
	return e, nil
}

// now is the engine's clock: nanoseconds since New.
func (e *Engine) now() int64 { return int64(time.Since(e.started)) }

// onWritten runs under nbio's lock of the connection: only atomics and the dispatcher's leaf lock.
func (e *Engine) onWritten(nb *nbio.Conn, _ []byte, n int) {
	if c, ok := nb.Session().(*Conn); ok {
		c.written(n)
	}
}

// onClose comes from one goroutine of nbio for all connections: nothing may block here.
func (e *Engine) onClose(nb *nbio.Conn, err error) {
	if c, ok := nb.Session().(*Conn); ok {
		c.died(err)
	}
}

// Shutdown stops accepting, says GoingAway to all connections and waits until they have gone; those that have not when ctx ends
// are cut off. All sessions have been told Closed when it returns nil; it returns ctx's error if it had to cut. Only the first
// call does something. It waits for calls of Open that have not returned.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	if e.isDown() {
		e.mu.Unlock()
		return ErrClosed
	}
	close(e.stopping)
	for ln := range e.listeners {
		_ = ln.Close()
	}
	pages := maps.Clone(e.pages)
	e.mu.Unlock()

	e.eachConn(func(c *Conn) { c.Close(codec.GoingAway, "the server shuts down", 0) })
	err := e.drain(ctx)
	if err != nil {
		e.eachConn(func(c *Conn) { c.cut(err) })
		e.endNursery(true)
	}
	for p := range pages {
		p.shutdown(ctx)
	}
	e.serving.Wait()
	e.nbio.Stop() // waits for its close callbacks
	e.stopGathering()
	close(e.done)
	e.background.Wait()
	return err
}

// drain waits until no connection and no accepted socket is left, or ctx ends.
func (e *Engine) drain(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for e.totals.open.Load() > 0 || e.totals.handshakes.Load() > 0 {
		e.endNursery(false) // again and again: a handshake that is just beginning sets its own deadline
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// endNursery makes the sockets that are no Conn yet give up, or closes them.
func (e *Engine) endNursery(closeThem bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for nc := range e.nursery {
		_ = nc.SetDeadline(time.Unix(1, 0))
		if closeThem {
			_ = nc.Close()
		}
	}
}

// shutdownWrite sends FIN after the bytes that were written. nbio has no such call; its lock keeps the descriptor ours
// meanwhile.
func shutdownWrite(nb *nbio.Conn) {
	nb.Lock()
	defer nb.Unlock()
	if closed, _ := nb.IsClosed(); closed {
		return
	}
	if raw, err := nb.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_WR) })
	}
}

// toCodecError is the close code of an error that a Handler or a Session returned.
func toCodecError(err error) *codec.Error {
	var e *codec.Error
	if errors.As(err, &e) && e != nil {
		return e
	}
	return &codec.Error{Code: codec.Internal} // the text is for the log, not for the peer
}
