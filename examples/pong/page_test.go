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
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds every wait. Most take milliseconds on an idle machine, the longest half a minute: a match that is lost.
const patience = 2 * time.Minute

// serve runs the program until the test ends, or until stop is called, and returns its address.
func serve(t *testing.T, on string) (addr string, stop func()) {
	t.Helper()
	srv := newServer(on)
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	t.Cleanup(stop)
	return srv.Addr().String(), stop
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
		t.Fatal("this test plays in a browser and found none: apt-get install chromium")
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

// page is somebody who plays, in a window of their own.
type page struct {
	t    *testing.T
	ctx  context.Context
	name string

	mu       sync.Mutex
	problems []string // guarded by mu: what the console, the network and uncaught exceptions said
}

// screen is what a page is seen on.
type screen struct {
	width, height int64
	scale         float64
	touch         bool
}

var (
	desktop = screen{width: 1280, height: 720, scale: 1}
	phone   = screen{width: 390, height: 844, scale: 2, touch: true}
)

func (s screen) turned() screen { return screen{s.height, s.width, s.scale, s.touch} }

// emulate makes a window look like this screen.
func (s screen) emulate() chromedp.Action[chromedp.Void] {
	opts := []chromedp.EmulateViewportOption{chromedp.EmulateScale(s.scale)}
	if s.touch {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	return chromedp.EmulateViewport(s.width, s.height, opts...)
}

// open opens the game in a window with its own storage. Without a name, the page finds one.
func (b browser) open(addr, name string, on screen) *page {
	b.t.Helper()
	p := &page{t: b.t, name: name}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	b.t.Cleanup(cancel)
	p.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the window's
		b.t.Fatalf("open a window for %s: %v", name, err)
	}
	url := "http://" + addr + "/"
	if name != "" {
		url += "?name=" + name
	}
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
			p.t.Fatalf("%s: not within %v: %s\nthe page has %s", p.name, patience, expression,
				eval[json.RawMessage](p, "{...window.pong, text: document.body.innerText}"))
		}
	}
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

// hold presses a key, such as "w" or kb.ArrowUp, or lets it go.
func (p *page) hold(key string, down bool) {
	p.t.Helper()
	for _, event := range kb.Encode([]rune(key)[0]) {
		if (event.Type == kb.KeyUp) == down {
			continue
		}
		p.do("key", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *event)
			return chromedp.Void{}, err
		})
	}
}

// mouse moves the mouse to a place in the window.
func (p *page) mouse(x, y float64) {
	p.t.Helper()
	p.do("mouse", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
}

// touch puts a finger down, moves it or, without points, lifts it.
func (p *page) touch(what input.DispatchTouchEventType, points ...*input.TouchPoint) {
	p.t.Helper()
	if points == nil {
		points = []*input.TouchPoint{}
	}
	p.do("touch", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: what, TouchPoints: points})
		return chromedp.Void{}, err
	})
}

// moment is a State as a page has it.
type moment struct {
	X, Y    float64
	Paddles [2]float64
}

// meet returns what two pages have of one tick, near the newest.
func meet(a, b *page) (tick int, ofA, ofB moment) {
	a.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		tick = eval[int](a, "pong.tick")
		b.until(fmt.Sprintf("pong.tick >= %d", tick))
		at := fmt.Sprintf("pong.at(%d)", tick)
		if ma, mb := eval[*moment](a, at), eval[*moment](b, at); ma != nil && mb != nil {
			return tick, *ma, *mb
		}
	}
	a.t.Fatalf("%s and %s have no tick in common", a.name, b.name)
	return 0, moment{}, moment{}
}
