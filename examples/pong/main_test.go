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
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be the program itself, for tests of the process.
const asProgram = "VOLLEY_PONG_AS_PROGRAM"

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
		pages := map[string]string{"/": "<canvas", "/main.js": "import", "/style.css": "#court", "/volley.js": "export"}
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
	err = run(context.Background(), other.Addr().String())
	if err == nil || !strings.Contains(err.Error(), other.Addr().String()+" is in use") || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("run says %v", err)
	}
}

// TestTheBrowserHasTheSameCourt compares the numbers of messages.go and web/court.js.
func TestTheBrowserHasTheSameCourt(t *testing.T) {
	court, err := fs.ReadFile(pages, "web/court.js")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"width": width, "height": height, "paddleX": paddleX, "reach": reach, "radius": radius, "paddleSpeed": paddleSpeed,
		"botWaits": botWaits.Milliseconds(),
	} {
		if line := fmt.Sprintf("export const %s = %v;", name, want); !strings.Contains(string(court), line) {
			t.Errorf("web/court.js has no line %q", line)
		}
	}
}
