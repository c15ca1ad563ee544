// Command chat is a live chat: rooms with who is there, who is typing and what was said before. Clients of Volley and of
// Socket.IO are in the same rooms.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/socketio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string) error {
	p := newProgram(addr)
	if err := p.srv.Listen(); errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use; end what listens there, or choose a port: chat -addr 127.0.0.1:0", addr)
	} else if err != nil {
		return err
	}
	at := p.srv.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() { // it listens everywhere, but nobody can go there
		at = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.Port}
	}
	fmt.Printf("Chat at http://%[1]s with Volley's client, at http://%[1]s/socketio.html with socket.io-client\n", at)
	return p.run(ctx)
}

// program is the whole of it: the rooms, and the two ways into them.
type program struct {
	rooms *lister
	srv   *volley.Server
	io    *socketio.Server
}

func newProgram(addr string) *program {
	p := &program{rooms: newLister()}
	p.io = socketio.New(socketio.Config{Recovery: grace})
	p.srv = volley.New(volley.Config{Addr: addr, Pages: p.pages()}, p.rooms.kind)
	p.io.Mount("/chat", p.srv.Host, "chat")
	return p
}

// run serves until ctx ends.
func (p *program) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ended <- p.io.Close(context.Background())
	}()
	err := p.rooms.open()
	if err == nil {
		err = p.srv.Run(ctx)
	}
	cancel()
	return errors.Join(err, <-ended)
}
