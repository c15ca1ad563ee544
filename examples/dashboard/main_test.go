package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be the program itself, for tests of the process.
const asProgram = "VOLLEY_DASHBOARD_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestTheProgramSaysWhereItIsAndEndsOnASignal(t *testing.T) {
	for addr, signal := range map[string]os.Signal{"127.0.0.1:0": os.Interrupt, ":0": syscall.SIGTERM} {
		cmd := exec.Command(os.Args[0], "-addr", addr)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line)
		if err != nil || url == "" {
			t.Fatalf("it says %q (%v)", line, err)
		}
		pages := map[string]string{
			"/": "<canvas", "/main.js": "import", "/style.css": "#demo", "/volley.js": "export",
			"/uplot/uPlot.iife.min.js": "uPlot", "/socket.io/socket.io.js": "Socket.IO",
			"/socket.io/?EIO=4&transport=polling": `"upgrades":["websocket"]`,
		}
		for path, want := range pages {
			if status, body := get(t, url+path); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d, and no %q in it", path, status, want)
			}
		}
		if status, _ := get(t, url+"/none"); status != http.StatusNotFound {
			t.Errorf("/none: %d", status)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after %v: %v; want exit status 0", signal, err)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body strings.Builder
	if _, err := bufio.NewReader(res.Body).WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body.String()
}

func TestAnAddressInUse(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = run(context.Background(), other.Addr().String(), Ask{})
	if err == nil || !strings.Contains(err.Error(), other.Addr().String()+" is in use") || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("run says %v", err)
	}
}

// TestTheBrowserHasTheSameFigures compares figures.go with web/cards.js, and what else both sides have to agree about.
func TestTheBrowserHasTheSameFigures(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		b, err := fs.ReadFile(pages, "web/"+name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var ours, theirs []string
	for _, g := range figures {
		ours = append(ours, g.name)
	}
	for _, m := range regexp.MustCompile(`series: \{ (.*?) \}`).FindAllStringSubmatch(read("cards.js"), -1) {
		for _, name := range regexp.MustCompile(`(\w+): "`).FindAllStringSubmatch(m[1], -1) {
			theirs = append(theirs, name[1])
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		t.Errorf("figures.go has %q\nweb/cards.js %q", ours, theirs)
	}
	for file, line := range map[string]string{
		"swarm.js":   fmt.Sprintf("const field = %d;", field),
		"index.html": fmt.Sprintf("at %d ticks a second", swarmRate),
	} {
		if !strings.Contains(read(file), line) {
			t.Errorf("web/%s has no %q", file, line)
		}
	}
	for what, says := range map[string]string{hold: fmt.Sprintf("for %d ms", holdFor.Milliseconds()), insult: "nonsense"} {
		if !regexp.MustCompile(`data-disturb="` + what + `">[^<]*` + says).MatchString(read("index.html")) {
			t.Errorf("no button for %q that says %q", what, says)
		}
	}
}
