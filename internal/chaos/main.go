package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// command runs one command line and returns the exit status.
func command(args []string, out, errs io.Writer) int {
	cfg := defaults()
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(errs)
	f.IntVar(&cfg.clients, "clients", cfg.clients, "how many clients there are")
	f.IntVar(&cfg.rooms, "rooms", cfg.rooms, "how many rooms they are in")
	f.IntVar(&cfg.events, "events", cfg.events, "how many numbered events are exchanged, in all")
	f.Uint64Var(&cfg.seed, "seed", cfg.seed, "of the cuts and of what clients do")
	f.IntVar(&cfg.pace, "pace", cfg.pace, "how many packets a client sends in a second, about")
	f.DurationVar(&cfg.life, "life", cfg.life, "how long a connection lasts, on average; 0: they are not cut")
	f.DurationVar(&cfg.timeout, "timeout", cfg.timeout, "give up after this long")
	soaking := f.Duration("soak", 0, "clients come and go for so long, and nothing may be left of them; 0: the exchange of events")
	netns := f.Bool("netns", false, "put the server behind a network that loses packets (Linux, root, iproute2, iptables)")
	loss := f.Float64("loss", 3, "with -netns: how many percent of the packets are lost, each way")
	dump := f.Bool("dump", false, "print all goroutines when nothing arrives any more")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *dump {
		cfg.dump = func() { _ = pprof.Lookup("goroutine").WriteTo(errs, 2) }
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !*netns {
		return perform(ctx, cfg, *soaking, out, errs)
	}
	n, err := newLossy(*loss)
	if err != nil {
		_, _ = fmt.Fprintln(errs, "chaos:", err)
		return 1
	}
	defer n.close()
	cfg.host, cfg.listen = serverAddr, n.listen
	cfg.also = func() error {
		lost, err := n.lost()
		if err == nil && lost == 0 {
			err = errors.New("the network has lost nothing: this shows nothing")
		}
		_, _ = fmt.Fprintf(out, "the network lost %d packets\n", lost)
		return err
	}
	return perform(ctx, cfg, *soaking, out, errs)
}

// perform does what the flags ask for, and returns the exit status.
func perform(ctx context.Context, cfg config, soaking time.Duration, out, errs io.Writer) int {
	if soaking > 0 {
		if !soakFor(ctx, cfg, soaking, out, errs) {
			return 1
		}
		return 0
	}
	o := chaos(ctx, cfg, newProgress("events", cfg.events))
	if cfg.also != nil {
		o.wrong = errors.Join(o.wrong, cfg.also())
	}
	if !o.print(&cfg, out, errs) {
		return 1
	}
	return 0
}
