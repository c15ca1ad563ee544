package volley_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
	"github.com/volley-go/volley/tick"
)

// The two ways to drive ticks, side by side: BenchmarkTickDriver starts a server process per run, on one core, joins clients to
// rooms of eight, has each send a 24-byte input per tick and each room emit a 200-byte state, and reports the server's CPU
// time per delivered frame and how late its ticks were.
//
//	go test -run '^$' -bench TickDriver -benchtime 1x -count 3 .

const benchServerEnv = "VOLLEY_BENCH_SERVER" // "workers 20", "pollers 60": this process is the server

type benchGame struct {
	room  *room.Room
	state [196]byte
}

const (
	benchInput room.Event[[24]byte]  = "input"
	benchState room.Event[[196]byte] = "state"
)

func (g *benchGame) Join(*room.Client) error          { return nil }
func (g *benchGame) Leave(*room.Client)               {}
func (g *benchGame) Input(_ *room.Client, b [24]byte) { g.state[b[0]]++ }
func (g *benchGame) Tick(tick.Tick)                   { room.Emit(g.room, benchState, g.state) }

// serveBench is the server process. It ends when its standard input does, and then prints its tick statistics.
func serveBench(driver string, hz int) {
	kind := room.Define("bench", func(r *room.Room) *benchGame { return &benchGame{room: r} }, room.Config{Rate: hz, Capacity: 8})
	room.On(kind, benchInput, (*benchGame).Input)
	srv := volley.New(volley.Config{Addr: "127.0.0.1:0", TickOnWorkers: driver == "workers", Workers: 1, Pollers: 1}, kind)
	if err := srv.Listen(); err != nil {
		panic(err)
	}
	fmt.Println(srv.Addr())
	ctx, stop := context.WithCancel(context.Background())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	_ = srv.Run(ctx)
	st := kind.Metrics().Snapshot()
	fmt.Println(st.Lateness.Quantile(0.5).Microseconds(), st.Lateness.Quantile(0.99).Microseconds(), st.Skipped)
}

func BenchmarkTickDriver(b *testing.B) {
	for _, hz := range []int{20, 60} {
		for _, driver := range []string{"workers", "pollers"} {
			b.Run(fmt.Sprintf("%s/%dHz", driver, hz), func(b *testing.B) {
				for range b.N {
					benchDriver(b, driver, hz, 4000/hz)
				}
			})
		}
	}
}

func benchDriver(b *testing.B, driver string, hz, rooms int) {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), benchServerEnv+"="+driver+" "+fmt.Sprint(hz), "GOMAXPROCS=2")
	if path, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		server.Args = append([]string{path, "-c", "0"}, server.Args...)
		server.Path = path
	}
	stdin, err := server.StdinPipe()
	require.NoError(b, err)
	stdout, err := server.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, server.Start())
	out := bufio.NewReader(stdout)
	addr := "" // after what nbio has to say
	for !strings.HasPrefix(addr, "127.") {
		addr, err = out.ReadString('\n')
		require.NoError(b, err)
	}

	var frames atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range rooms * 8 {
		wg.Go(func() { benchClient(b, strings.TrimSpace(addr), hz, &frames, stop) })
	}
	for frames.Load() < int64(rooms*8) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second)
	n, cpu := frames.Load(), cpuOf(b, server.Process.Pid)
	time.Sleep(4 * time.Second)
	n, cpu = frames.Load()-n, cpuOf(b, server.Process.Pid)-cpu
	close(stop)
	wg.Wait()
	_ = stdin.Close()
	rest, err := io.ReadAll(out)
	require.NoError(b, err)
	require.NoError(b, server.Wait())
	lines := strings.Split(strings.TrimSpace(string(rest)), "\n")
	var p50, p99, skipped float64
	_, err = fmt.Sscan(lines[len(lines)-1], &p50, &p99, &skipped)
	require.NoError(b, err)
	b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs/frame")
	b.ReportMetric(float64(n)/float64(rooms*8*4*hz)*100, "%delivered")
	b.ReportMetric(p50, "late-p50-µs")
	b.ReportMetric(p99, "late-p99-µs")
	b.ReportMetric(skipped, "skipped")
	b.ReportMetric(0, "ns/op")
}

// benchClient is as thin as a client can be: it counts the frames of its room and sends an input after each.
func benchClient(b *testing.B, addr string, hz int, frames *atomic.Int64, stop chan struct{}) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	go func() { <-stop; _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET /volley HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	r := bufio.NewReaderSize(conn, 512)
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			break
		}
	}
	write := func(frame []byte) {
		_, _ = conn.Write(append([]byte{0x82, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...))
	}
	write(codec.AppendHello(nil, nil))
	write(codec.AppendJoin(nil, 0, codec.JoinOrCreate, "bench", nil))
	input := codec.AppendNamedEvent(make([]byte, codec.MaxPrefix), "input")
	input = append(append(input, 0xc4, 24), make([]byte, 24)...)
	var head [4]byte
	seq := uint64(0)
	for {
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return
		}
		n := int(head[1])
		if n == 126 {
			if _, err := io.ReadFull(r, head[2:]); err != nil {
				return
			}
			n = int(binary.BigEndian.Uint16(head[2:]))
		}
		if _, err := r.Discard(n); err != nil {
			return
		}
		if n < 200 {
			continue // WELCOME, JOINED
		}
		frames.Add(1)
		seq++
		write(input[codec.PutVolley(input, codec.MaxPrefix, 0, seq, 0, 1):])
	}
}

// cpuOf returns the CPU time that a process has used.
func cpuOf(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var user, system int64
	_, _ = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}
