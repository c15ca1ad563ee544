package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
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
	o := chaos(ctx, cfg, newProgress("events", cfg.events))
	if !o.print(&cfg, out, errs) {
		return 1
	}
	return 0
}
