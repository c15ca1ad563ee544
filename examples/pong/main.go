// Command pong is a game of two paddles and a ball, to play in a browser, alone or with a second tab.
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
	"syscall"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/room"
)

//go:embed web
var pages embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "pong:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string) error {
	srv := newServer(addr)
	if err := srv.Listen(); errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use; end what listens there, or choose a port: pong -addr 127.0.0.1:0", addr)
	} else if err != nil {
		return err
	}
	at := srv.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() { // it listens everywhere, but nobody can go there
		at = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.Port}
	}
	fmt.Printf("Play pong at http://%s (a second tab takes the other seat)\n", at)
	return srv.Run(ctx)
}

// newServer makes the whole program: the game, its pages and the sockets.
func newServer(addr string) *volley.Server {
	web, err := fs.Sub(pages, "web")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return volley.New(volley.Config{Addr: addr, Pages: http.FileServerFS(web)}, newKind(newPong, 0))
}

// newKind is the game with its handlers. A seed other than 0 makes its chances repeatable.
func newKind(newGame func(*room.Room) *pong, seed uint64) *room.Kind[*pong] {
	kind := room.Define("pong", newGame, room.Config{Rate: rate, Capacity: 32, Grace: grace, Seed: seed})
	room.On(kind, aim, (*pong).Aim)
	room.On(kind, rematch, (*pong).Rematch)
	return kind
}
