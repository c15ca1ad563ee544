package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
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
const asProgram = "VOLLEY_CHAT_AS_PROGRAM"

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
		urls := regexp.MustCompile(`http://127\.0\.0\.1:\d+\S*`).FindAllString(line, -1)
		if err != nil || len(urls) != 2 {
			t.Fatalf("it says %q (%v)", line, err)
		}
		base := urls[0]
		pages := map[string]string{
			base: "native.js", urls[1]: "socketio.js", base + "/app.js": "import", base + "/style.css": "#log",
			base + "/volley.js": "export", base + "/socket.io/socket.io.js": "Socket.IO v",
			base + "/socket.io/?EIO=4&transport=polling": `0{"sid":`,
		}
		for url, want := range pages {
			if res, body := get(t, url); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %s, and no %q in it", url, res.Status, want)
			}
		}
		for _, url := range urls {
			if res, _ := get(t, url); !strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src 'self'") {
				t.Errorf("%s lets any script run", url)
			}
		}
		if res, _ := get(t, base+"/none"); res.StatusCode != http.StatusNotFound {
			t.Errorf("/none: %s", res.Status)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after %v: %v; want exit status 0", signal, err)
		}
	}
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	client := http.Client{Timeout: time.Minute}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestTheListOverHTTP(t *testing.T) {
	p, _ := serve(t, "127.0.0.1:0")
	var list []Listed
	for end := time.Now().Add(patience); len(list) < len(topics) && time.Now().Before(end); { // run makes them
		res, body := get(t, "http://"+p.srv.Addr().String()+"/rooms")
		if err := json.Unmarshal([]byte(body), &list); err != nil || res.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%v; %s: %s", err, res.Header, body)
		}
	}
	for i, l := range list {
		if l.ID == "" || l.Name != topics[i].Name || l.About == "" || l.Members != 0 {
			t.Errorf("room %d is %+v", i, l)
		}
	}
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
