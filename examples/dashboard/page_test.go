package main

import (
	"context"
	"encoding/json"
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

// patience bounds every wait. Most take a second or two on an idle machine.
const patience = 2 * time.Minute

// serve runs the program with some rooms of bots until the test ends, or until stop is called, and returns its address.
func serve(t *testing.T, on string, demo Ask) (addr string, stop func()) {
	t.Helper()
	p := newProgram(on)
	p.crowd.ask(demo)
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
	return p.addr(), stop
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
	path := findChromium()
	if path == "" {
		t.Fatal("this test needs a browser and found none: apt-get install chromium")
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

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// page is the dashboard in a window.
type page struct {
	t      *testing.T
	ctx    context.Context
	client string // the one that it uses

	mu       sync.Mutex
	problems []string // guarded by mu: what the console, the network and uncaught exceptions said
}

// screen is what a page is seen on.
type screen struct {
	width, height int64
	scale         float64
	touch, dark   bool
}

var (
	desktop = screen{width: 1280, height: 900, scale: 1}
	night   = screen{width: 1280, height: 900, scale: 1, dark: true}
	phone   = screen{width: 360, height: 740, scale: 2, touch: true, dark: true}
)

// emulate makes a window look like this screen.
func (s screen) emulate() chromedp.Action[chromedp.Void] {
	opts := []chromedp.EmulateViewportOption{chromedp.EmulateScale(s.scale)}
	if s.touch {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	size := chromedp.EmulateViewport(s.width, s.height, opts...)
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media); err != nil {
			return chromedp.Void{}, err
		}
		return size(ctx, t)
	}
}

// open opens the dashboard in a window.
func (b browser) open(addr, client string, on screen) *page {
	b.t.Helper()
	p := &page{t: b.t, client: client}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	b.t.Cleanup(cancel)
	p.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the window's
		b.t.Fatalf("open a window for %s: %v", client, err)
	}
	url := "http://" + addr + "/?client=" + client
	p.do("open "+url, on.emulate(), chromedp.Navigate(url))
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
		p.t.Errorf("the page with %s said:\n%s", p.client, strings.Join(p.problems, "\n"))
	}
}

func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %s: %v", p.client, what, err)
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
		p.t.Fatalf("%s: %s: %v", p.client, expression, err)
	}
	return v
}

// until waits for an expression to be true in the page.
func (p *page) until(expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); !eval[bool](p, "Boolean("+expression+")"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s: not within %v: %s\nthe page has %s", p.client, patience, expression,
				eval[json.RawMessage](p, "{...window.dashboard, times: 0, text: document.body.innerText}"))
		}
	}
}

// shoot leaves a picture of the whole page where VOLLEY_ARTIFACTS says, or in artifacts at the root of the repository.
func (p *page) shoot(file string) {
	p.t.Helper()
	dir := os.Getenv("VOLLEY_ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "artifacts")
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), png, 0o644)
	}
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.client, file, err)
	}
}
