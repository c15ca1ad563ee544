// Command auth is a chat for those who have logged in: a token that a login gives out, in a cookie or in HELLO, is what lets a
// connection in.
package main

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/volley-go/volley"
)

//go:embed web
var pages embed.FS

// keyEnv has the key that tokens are signed with, in base64: the same for all servers that take one another's tokens. Without it
// each start makes a key of its own, and whoever was logged in has to do it again.
const keyEnv = "AUTH_KEY"

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "where to listen")
	users := flag.String("users", "ann:wonder,bob:builder", "who may log in, as name:password,…")
	life := flag.Duration("life", 15*time.Minute, "how long a login lasts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *addr, *users, *life); err != nil {
		fmt.Fprintln(os.Stderr, "auth:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, users string, life time.Duration) error {
	key, err := signingKey(os.Getenv(keyEnv))
	if err != nil {
		return err
	}
	d := &desk{key: key, life: life, users: map[string]password{}}
	for user := range strings.SplitSeq(users, ",") {
		name, word, ok := strings.Cut(user, ":")
		if !ok || name == "" || word == "" {
			return fmt.Errorf("%q is no name:password", name)
		}
		d.users[name] = newPassword(word)
	}
	srv := newServer(addr, d)
	if err := srv.Listen(); err != nil {
		return err
	}
	fmt.Printf("Chat at http://%s\n", srv.Addr())
	return srv.Run(ctx)
}

// newServer makes the whole program: the chat, the login and the page.
func newServer(addr string, d *desk) *volley.Server {
	web, err := fs.Sub(pages, "web")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", d.login)
	mux.HandleFunc("POST /logout", d.logout)
	mux.Handle("/", http.FileServerFS(web))
	return volley.New(volley.Config{Addr: addr, Pages: mux, Auth: d.admit}, newKind())
}

// signingKey decodes a key, or makes one.
func signingKey(encoded string) ([]byte, error) {
	if encoded == "" {
		key := make([]byte, minKey)
		_, _ = rand.Read(key) // it never fails
		return key, nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < minKey {
		return nil, fmt.Errorf("%s must be %d bytes or more in base64: head -c 32 /dev/urandom | base64", keyEnv, minKey)
	}
	return key, nil
}
