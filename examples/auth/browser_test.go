package main

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The page logs in, keeps the login over a reload, and loses it by logging out.
func TestInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a short run plays nothing in the browser")
	}
	_, srv := serve(t, time.Minute)
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("this test logs in with a browser and found none: apt-get install chromium")
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Flag("headless", "new"),
		chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.WSURLReadTimeout(time.Minute))...)
	t.Cleanup(cancel)
	ctx, _ := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // it waits, so that the directory can go
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	until := func(condition string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(30*time.Second))); err != nil {
			t.Fatalf("%s: %v", condition, err)
		}
	}
	logIn := func(password string) {
		t.Helper()
		until("!document.querySelector('#login').hidden")
		do("log in", chromedp.SetValue("[name=name]", "ann"), chromedp.SetValue("[name=password]", password),
			chromedp.Click("#login button"))
	}
	const lines = "document.querySelector('#lines').innerText"
	do("open", chromedp.Navigate("http://"+srv.Addr().String()))
	logIn("wrong")
	until("document.querySelector('#note').innerText.includes('is wrong')")
	logIn("wonder")
	until(lines + ".includes('welcome, ann')")
	do("talk", chromedp.SendKeys("[name=text]", "hello, hall"), chromedp.Click("#talk button"))
	until(lines + ".includes('ann: hello, hall')")

	do("reload", chromedp.Reload())
	until(lines + ".includes('welcome, ann')")
	do("log out", chromedp.Click("#logout"))
	until("!document.querySelector('#login').hidden")
	do("reload", chromedp.Reload())
	until("document.readyState === 'complete' && !document.querySelector('#login').hidden && document.querySelector('#hall').hidden")
}
