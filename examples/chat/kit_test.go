package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait. Most take milliseconds on an idle machine.
const patience = 2 * time.Minute

// serve runs the program until the test ends, or until stop is called.
func serve(t *testing.T, on string) (p *program, stop func()) {
	t.Helper()
	p = newProgram(on)
	if err := p.srv.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	t.Cleanup(stop)
	return p, stop
}

// browser is a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// browse starts a browser that ends with the test.
func browse(t *testing.T) browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a short run plays nothing in the browser")
	}
	path := ""
	for _, name := range []string{"google-chrome-stable", "google-chrome", "chromium-browser", "chromium"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
		}
	}
	if path == "" {
		t.Fatal("this test chats in a browser and found none: apt-get install chromium")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], // they keep background windows awake and quiet
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("no-sandbox", true), // it does not work for root
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience),
	)
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(cancel)
	ctx, _ := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // it waits, so that the directory can go
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return browser{t, ctx}
}

// The pages of the two clients.
const (
	native   = "/"
	socketIO = "/socketio.html"
)

// page is somebody who chats, in a window of their own.
type page struct {
	t     *testing.T
	ctx   context.Context
	name  string
	close func()

	mu       sync.Mutex
	problems []string // guarded by mu: what the console, the network and uncaught exceptions said
}

// open opens a page in a window with its own storage.
func (b browser) open(addr, path, name string) *page {
	b.t.Helper()
	p := &page{t: b.t, name: name}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	b.t.Cleanup(cancel)
	p.ctx, p.close = ctx, func() { _ = chromedp.Cancel(ctx) }
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the window's
		b.t.Fatalf("open a window for %s: %v", name, err)
	}
	url := "http://" + addr + path
	if name != "" {
		url += "?name=" + name
	}
	p.do("open "+url, chromedp.EmulateViewport(1280, 760), chromedp.Navigate(url))
	return p
}

// listen hears what a page complains about.
func (p *page) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			said += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			said = "console." + string(e.Type)
			for _, arg := range e.Args {
				said += " " + string(arg.Value) + arg.Description
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			said = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if said != "" {
		p.mu.Lock()
		p.problems = append(p.problems, said)
		p.mu.Unlock()
	}
}

// quiet fails the test if the page complained about anything.
func (p *page) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.problems) > 0 {
		p.t.Errorf("%s's page said:\n%s", p.name, strings.Join(p.problems, "\n"))
	}
}

func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

// eval returns the value of an expression in the page. undefined is the zero T.
func eval[T any](p *page, expression string) (v T) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+") ?? 'null'"))
	if err == nil {
		err = json.Unmarshal([]byte(text), &v)
	}
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return v
}

// until waits for an expression to be true in the page.
func (p *page) until(expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); !eval[bool](p, "Boolean("+expression+")"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("%s: not within %v: %s\nthe page has %s\nand said %q", p.name, patience, expression,
				eval[string](p, "document.body.innerText"), p.problems)
		}
	}
}

// quoted is a string in JavaScript.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// sees waits for an element with that text in it.
func (p *page) sees(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("[...document.querySelectorAll(%s)].some((e) => e.textContent.includes(%s))",
		quoted(selector), quoted(text)))
}

// texts returns the messages on the screen, those that wait to be sent after the others.
func (p *page) texts() []string {
	p.t.Helper()
	return eval[[]string](p, "[...document.querySelectorAll('.message .text')].map((e) => e.textContent)")
}

// write writes into the field for messages.
func (p *page) write(text string) {
	p.t.Helper()
	p.do("write", chromedp.SendKeys("#text", text))
}

// say says something.
func (p *page) say(text string) {
	p.t.Helper()
	p.write(text + "\r")
}

// enter waits until the page is in a room.
func (p *page) enter(room string) {
	p.t.Helper()
	p.until(fmt.Sprintf("document.querySelector('#title').textContent === %s", quoted("#"+room)))
	p.until("document.querySelector('#members li')")
}

// room opens a room by its button.
func (p *page) room(name string) {
	p.t.Helper()
	p.do("open #"+name, chromedp.Click(fmt.Sprintf("[data-room=%s]", name)))
	p.enter(name)
}

// look makes a window look like another screen.
func (p *page) look(width, height int64, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.do("look", chromedp.EmulateViewport(width, height), func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	})
}

// shoot leaves a picture of the page where VOLLEY_ARTIFACTS says, or in artifacts at the root of the repository.
func (p *page) shoot(file string) {
	p.t.Helper()
	dir := os.Getenv("VOLLEY_ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "artifacts")
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), png, 0o644)
	}
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, file, err)
	}
}
