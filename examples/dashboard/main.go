// Command dashboard shows a running server's own figures in a page, as they change: connections, rooms, ticks, traffic, memory.
// So that there is something to see it also runs a demo, rooms full of bots.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/examples/internal/socketioclient"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/socketio"
)

//go:embed web
var pages embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	rooms := flag.Int("rooms", 4, "rooms of the demo")
	bots := flag.Int("bots", 6, "bots in each of them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *addr, Ask{*rooms, *bots}); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string, demo Ask) error {
	p := newProgram(addr)
	p.crowd.ask(demo)
	if err := p.srv.Listen(); errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use; end what listens there, or choose a port: dashboard -addr 127.0.0.1:0", addr)
	} else if err != nil {
		return err
	}
	fmt.Printf("Watch the server at http://%[1]s (through socket.io-client: http://%[1]s/?client=socketio)\n", p.addr())
	return p.run(ctx)
}

// program is a server that shows itself.
type program struct {
	srv    *volley.Server
	io     *socketio.Server
	swarms *room.Kind[*swarm]
	boards *room.Kind[*board]
	crowd  *crowd

	disturbances chan string
}

func newProgram(addr string) *program {
	p := &program{disturbances: make(chan string, 1)}
	p.crowd = newCrowd(p.openSwarm, p.letIn)
	p.swarms = newSwarms()
	p.boards = newBoards(func(r *room.Room) *board {
		return newBoard(r, NewSampler(p.sources(), r.Now()), &show{p.crowd.ask, p.crowd.demo, p.disturb})
	})
	mux := http.NewServeMux()
	p.srv = volley.New(volley.Config{Addr: addr, Pages: mux}, p.swarms, p.boards)
	p.io = socketio.New(socketio.Config{})
	p.io.Mount("/dashboard", p.srv.Host, "dashboard")
	p.io.Mount("/swarm", p.srv.Host, "swarm")
	web, err := fs.Sub(pages, "web")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	mux.Handle("/", http.FileServerFS(web))
	mux.Handle(socketioclient.Path, socketioclient.Handler())
	mux.Handle("/socket.io/", p.io)
	return p
}

// sources are what the page shows.
func (p *program) sources() Sources {
	return Sources{Server: p.srv.Stats, SocketIO: p.io.Stats, Kinds: []Kind{p.swarms, p.boards}}
}

// addr is where one can go.
func (p *program) addr() string {
	at := p.srv.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() { // it listens everywhere, but nobody can go there
		at = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.Port}
	}
	return at.String()
}

// run serves until ctx ends. The server listens.
func (p *program) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, err := p.boards.Create(nil); err != nil {
		return err
	}
	var beside sync.WaitGroup
	beside.Go(func() { p.crowd.run(ctx) })
	beside.Go(func() { p.disturbing(ctx) })
	beside.Go(func() {
		<-ctx.Done()
		parting, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.io.Close(parting) // who did not listen was cut off
	})
	err := p.srv.Run(ctx)
	cancel()
	beside.Wait()
	return err
}

func (p *program) openSwarm() (string, error) {
	r, err := p.swarms.Create(nil)
	if err != nil {
		return "", err
	}
	return r.ID(), nil
}

func (p *program) letIn(ctx context.Context, id string) (bot, error) { return letIn(ctx, p.url(), id) }

// url is where bots connect.
func (p *program) url() string { return "ws://" + p.addr() + "/volley" }
