package netio

import (
	"errors"
	"log/slog"
	"math"
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
	// goroutine and may block (that counts towards Config.HandshakeTimeout), or on a poller and may not, where that is said by
	// Config.OpenOnPoller. What it sends goes out by the time it returns. r is the upgrade request, nil for TCP. first is nil
	// with Config.Foreign. An error refuses the connection: a *codec.Error with its code, any other with Internal.
	Open(c *Conn, r *http.Request, first []byte) (Session, error)
}

// closeGrace is how long a closing connection may take to close its side. In a drain it may take longer to take its last bytes.
const closeGrace = 2 * time.Second

// Engine serves connections.
type Engine struct {
	// Static after New.
	cfg     Config
	handler Handler
	log     *slog.Logger
	pool    *bufPool
	nbio    *nbio.Engine
	started time.Time
	msgs    rate
	bytes   rate
	addrs   func() *addrTable // made when the first address is to be counted
	// maxSockets bounds all sockets: it leaves a reserve of the files that the process may open.
	maxSockets int64
	stopping   chan struct{} // closed under mu when a drain begins
	done       chan struct{} // closed when the sweeper and the dispatcher have to end

	shards   [shardCount]shard
	counters [shardCount]counters
	totals   totals
	queue    dispatchQueue
	pollers  []poller
	logbook  logbook
	budget   budget
	down     atomic.Bool  // Shutdown has been called
	telling  atomic.Int64 // how many sockets are being told why they may not come in

	// Of a drain.
	drainBy   atomic.Int64  // the engine's clock: until when last bytes may take
	drainOver atomic.Int64  // nanoseconds over which connections are asked to come back
	goneAway  atomic.Uint64 // connections that were asked

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
	if cfg.CheckOrigin == nil {
		var err error
		if cfg.CheckOrigin, err = OriginCheck(cfg.AllowOrigins); err != nil {
			return nil, err
		}
	}
	e := &Engine{
		cfg:       cfg,
		handler:   h,
		log:       cfg.Logger,
		pool:      new(bufPool),
		started:   time.Now(),
		msgs:      newRate(cfg.MessagesPerSecond, cfg.MessageBurst),
		bytes:     newRate(cfg.BytesPerSecond, cfg.BytesBurst),
		addrs:     sync.OnceValue(func() *addrTable { return newAddrTable(cfg) }),
		stopping:  make(chan struct{}),
		done:      make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		pages:     make(map[*pageServer]struct{}),
		nursery:   make(map[net.Conn]struct{}),
	}
	e.pollers = newPollers(e)
	files := openFiles()
	e.maxSockets = int64(files - fileReserve(files))
	if cfg.MaxConns < 0 {
		e.maxSockets = math.MaxInt64
	}
	e.budget.limit, e.budget.wake = int64(max(cfg.MaxBuffered, 0)), make(chan struct{}, 1)
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
