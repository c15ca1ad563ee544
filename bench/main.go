//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	bench

	Capacity capacityCmd `cmd:"" help:"Connections: how fast they come, what each costs, and whether their events arrive."`
	Rooms    roomsCmd    `cmd:"" help:"Rooms: every client sends an input per tick, every room a state per tick."`
	Fanout   fanoutCmd   `cmd:"" help:"One room that broadcasts as fast as its clients take it."`
	Tick     tickCmd     `cmd:"" help:"The tick scheduler alone, without sockets."`
	Echo     echoCmd     `cmd:"" help:"Round trips, on an event-driven room and on one of 60 Hz."`
	Compare  compareCmd  `cmd:"" help:"Volley and its rivals, interleaved, as medians of several rounds."`
	Serve    serveCmd    `cmd:"" help:"A server alone, for a bench on another machine (-addr)."`
	Child    childCmd    `cmd:"" hidden:""`
}

// bench is what all workloads have in common: the flags, and where to print.
type bench struct {
	JSON    bool          `name:"json" help:"Print one JSON object on standard output and nothing else there."`
	HTML    string        `name:"html" placeholder:"FILE" help:"Write a report with charts."`
	Addr    string        `name:"addr" placeholder:"HOST:PORT" help:"Measure the server that runs there (bench serve)."`
	Quiet   bool          `name:"quiet" help:"Say nothing while it runs."`
	Pin     bool          `name:"pin" default:"true" negatable:"" help:"Server on one core, load on the others."`
	Procs   int           `name:"gomaxprocs" default:"3" help:"GOMAXPROCS of Volley's server process; 0: the runtime's choice."`
	Pollers int           `name:"pollers" default:"1" help:"Config.Pollers of the server."`
	Workers int           `name:"workers" default:"1" help:"Config.Workers of the server."`
	OnPoll  bool          `name:"tick-on-pollers" default:"true" negatable:"" help:"False: Config.TickOnWorkers of the server."`
	Source  string        `name:"source" default:"127.0.1.1" help:"The first local address to dial from, where one is not enough."`
	AtOnce  int           `name:"at-once" default:"128" help:"Handshakes under way at once."`
	Files   int           `name:"files" help:"Take a process for one that may open so many files; 0: ask the system."`
	Profile string        `name:"cpuprofile" placeholder:"FILE" help:"A CPU profile of the first server process, over the window."`
	Allocs  string        `name:"allocprofile" placeholder:"FILE" help:"Likewise of allocations; FILE.base is what came before."`
	Timeout time.Duration `name:"timeout" default:"30m" help:"Give up after this long."`

	streams `kong:"-"`
}

// errInterrupted is how a bench ends by Ctrl-C.
var errInterrupted = errors.New("interrupted; the servers and the load generators have been ended")

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run runs one command line and returns the exit status.
func run(args []string, to streams) int {
	var c cli
	c.streams = to
	status := -1
	parser, err := kong.New(&c, kong.Name("bench"), kong.UsageOnError(), kong.Writers(to.stdout, to.stderr),
		kong.Description("Measures Volley on this machine. Flags may be written -flag or --flag."),
		kong.Vars{"compared": strings.Join(compared, ", ")},
		kong.Exit(func(code int) { status = code }), kong.Bind(&c.bench))
	if err != nil {
		panic(err)
	}
	k, err := parser.Parse(twoDashes(args))
	switch {
	case status >= 0: // help was asked for
		return status
	case err != nil:
		parser.Errorf("%s", err)
		return 2
	}
	ctx, stop := context.WithTimeoutCause(context.Background(), c.Timeout,
		fmt.Errorf("not done within -timeout %v", c.Timeout))
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		select {
		case <-signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		if why := context.Cause(ctx); why != nil {
			err = why // the rest is what came of it
		}
		_, _ = fmt.Fprintln(to.stderr, "bench:", err)
		return 1
	}
	return 0
}

// twoDashes lets flags be written as the flag package's are: -conns 10.
func twoDashes(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if len(a) > 2 && a[0] == '-' && a[1] != '-' && (a[1] < '0' || a[1] > '9') {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

// publish shows a result in every way that was asked for.
func (b *bench) publish(r *result) error {
	if b.HTML != "" {
		if err := writeReport(b.HTML, r); err != nil {
			return err
		}
		b.say("the report is in %s", b.HTML)
	}
	if b.JSON {
		return r.printJSON(b.stdout)
	}
	r.printTable(b.stdout)
	return nil
}

// server is the spec of a server as the flags want it.
func (b *bench) server(workload string) serverSpec {
	return serverSpec{
		Addr: "127.0.0.1:0", Transport: "ws", Workload: workload,
		Pollers: b.Pollers, Workers: b.Workers, TickOnPollers: b.OnPoll, Profile: b.Profile, Allocs: b.Allocs,
	}
}

// childCmd is a process that the bench has started.
type childCmd struct {
	Role string `arg:"" enum:"server,load"`
}

// Run is the child's life. Its conductor ends it, by a closed pipe or a signal.
func (c *childCmd) Run() error {
	signal.Ignore(os.Interrupt)
	if c.Role == "server" {
		return serverChild(os.Stdin, os.Stdout)
	}
	return loadChild(os.Stdin, os.Stdout)
}

// serveCmd is a server for a bench elsewhere.
type serveCmd struct {
	Listen string `name:"listen" default:":8080" help:"Where to listen."`
	TCP    bool   `name:"tcp" help:"Volley's TCP transport in place of WebSocket; then it cannot be asked about itself."`
	TLS    bool   `name:"tls" help:"Over TLS, with a certificate that is made up."`
	Hz     int    `name:"hz" default:"20" help:"Ticks a second of the rooms of the workload rooms."`
	Size   int    `name:"clients" default:"8" help:"Clients in each of them."`
}

// Run serves until Ctrl-C.
func (s *serveCmd) Run(ctx context.Context, b *bench) error {
	spec := b.server("serve")
	spec.Addr, spec.TLS, spec.Rate, spec.Clients = s.Listen, s.TLS, s.Hz, s.Size
	if s.TCP {
		spec.Transport = "tcp"
	}
	srv, err := newServer(spec)
	if err != nil {
		return err
	}
	b.say("serving %s on %s; POST %s answers a bench; Ctrl-C ends it", strings.ToUpper(spec.Transport), srv.addr(), controlPath)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return srv.run(ctx)
}
