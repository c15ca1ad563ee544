// Command tutorial is the program that many write first with Socket.IO: clients as they are known, the server in Go.
package main

import (
	"flag"
	"log"
	"net/http"

	"github.com/volley-go/volley/socketio"
)

type update struct {
	Data int `msgpack:"data"`
}

// tutorial is the server.
func tutorial() *socketio.Server {
	io := socketio.New(socketio.Config{})
	io.OnConnect(func(s *socketio.Socket) {
		s.Emit("greeting", "Hello, "+s.ID())
		s.On("thankyou", func(*socketio.Message) { log.Println(s.ID(), "says thank you") })
		s.On("alpha", func(*socketio.Message) { s.Emit("updateClient", update{5}) })
		s.On("beta", func(*socketio.Message) { io.Emit("updateAllClients", update{5}) })
		s.On("gamma", func(*socketio.Message) { s.Broadcast().Emit("updateAllExceptOne", update{5}) })
	})
	return io
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	flag.Parse()
	pages(http.DefaultServeMux)
	http.Handle("/socket.io/", tutorial())
	log.Println("Open http://" + *addr + " in two windows, or node client.js http://" + *addr)
	log.Fatal(http.ListenAndServe(*addr, nil))
}
