package main

import (
	"bytes"
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs the program until the test ends, and returns its address and what it logs.
func serve(t *testing.T) (url string, said *lines) {
	t.Helper()
	said = &lines{}
	log.SetOutput(said)
	io := tutorial()
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	pages(mux)
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		if err := io.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
		srv.Close()
		log.SetOutput(os.Stderr)
	})
	return srv.URL, said
}

// lines are what was logged. Safe for concurrent use.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), what)
}

// The clients of tutorial.test.js are those of npm.
func TestWithNode(t *testing.T) {
	modules, err := filepath.Abs(filepath.Join("..", "..", "web", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "socket.io-client")); err != nil {
		t.Fatalf("%v; make test-web installs it", err)
	}
	url, said := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "tutorial.test.js")
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "TUTORIAL="+url)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if n := said.count("says thank you"); n != 10 {
		t.Errorf("%d clients have said thank you; want the nine of the tests and the script", n)
	}
}

func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a short run plays nothing in the browser")
	}
	url, said := serve(t)
	browser := browse(t)
	ann, ben := open(browser, t, url, 1280), open(browser, t, url, 390)
	for _, w := range []window{ann, ben} {
		w.until("heard().length === 1 && heard()[0].startsWith('greeting Hello, ') && heard()[0].endsWith(socket.id)")
	}
	ann.click("#alpha")
	ann.until("heard()[0] === 'updateClient 5'")
	ann.click("#beta")
	ann.until("heard()[0] === 'updateAllClients 5'")
	ben.until("heard()[0] === 'updateAllClients 5' && heard().length === 2")
	ben.click("#gamma")
	ann.until("heard()[0] === 'updateAllExceptOne 5'")
	ben.click("#beta") // what should not have come would have come before this
	ben.until("heard().length === 3 && heard()[0] === 'updateAllClients 5'")
	for _, w := range []window{ann, ben} {
		w.until("socket.io.engine.transport.name === 'websocket'")
		w.until("document.documentElement.scrollWidth <= innerWidth")
	}
	ann.shoot("tutorial.png")
	ben.shoot("tutorial-phone.png")
	if n := said.count("says thank you"); n != 2 {
		t.Errorf("%d windows have said thank you; want 2", n)
	}
}

// patience bounds every wait.
const patience = time.Minute

func browse(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("this test presses buttons in a browser and found none: apt-get install chromium")
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Flag("headless", "new"),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.WSURLReadTimeout(patience))...)
	t.Cleanup(cancel)
	ctx, _ := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // it waits, so that the directory can go
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// window is a page, and whoever looks at it.
type window struct {
	t   *testing.T
	ctx context.Context
}

func open(browser context.Context, t *testing.T, url string, width int64) window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the window's
		t.Fatal(err)
	}
	w := window{t, ctx}
	w.do("open", chromedp.EmulateViewport(width, 800), chromedp.Navigate(url))
	return w
}

func (w window) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

func (w window) click(selector string) {
	w.t.Helper()
	w.do("click "+selector, chromedp.Click(selector))
}

// until waits for an expression to be true. heard() in it are the lines of the list, the newest first.
func (w window) until(condition string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	script := "(() => { const heard = () => [...document.querySelectorAll('#heard li')].map((li) => li.textContent); return " +
		condition + " })()"
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(patience))); err != nil {
		w.t.Fatalf("%s: %v", condition, err)
	}
}

// shoot leaves a picture where VOLLEY_ARTIFACTS says, or in artifacts at the root of the repository.
func (w window) shoot(file string) {
	w.t.Helper()
	dir := os.Getenv("VOLLEY_ARTIFACTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "artifacts")
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), png, 0o644)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
