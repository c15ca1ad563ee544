//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if os.Getenv(serverEnv) != "" {
		signal.Ignore(os.Interrupt) // the other process ends this one
		if err := serve(os.Stdin, os.Stdout); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "stall: server:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command runs one command line and returns the exit status.
func command(args []string, out, errs io.Writer) int {
	cfg := defaults()
	f := flag.NewFlagSet("stall", flag.ContinueOnError)
	f.SetOutput(errs)
	f.IntVar(&cfg.clients, "clients", cfg.clients, "how many clients there are")
	f.IntVar(&cfg.stalled, "stalled", cfg.stalled, "how many of them stop reading")
	f.IntVar(&cfg.room, "room", cfg.room, "how many clients are in a room")
	f.DurationVar(&cfg.stall, "for", cfg.stall, "how long they do not read")
	f.IntVar(&cfg.rounds, "rounds", cfg.rounds, "how many windows of each sort there are")
	f.DurationVar(&cfg.timeout, "timeout", cfg.timeout, "give up after this long")
	ratio := f.Float64("max-ratio", 1.25,
		"the healthy p99 ratio that is taken for no change: windows differ by that much on their own")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	res, err := measure(ctx, cfg, func(format string, args ...any) { _, _ = fmt.Fprintf(errs, format+"\n", args...) })
	if err != nil {
		_, _ = fmt.Fprintf(errs, "stall: %v\n", err)
	}
	if res.calm == 0 {
		return 1
	}
	res.print(out)
	if err != nil || !res.good(*ratio) {
		return 1
	}
	return 0
}

// good reports whether a run kept to what is promised.
func (r *result) good(ratio float64) bool {
	return r.bytes <= maxBytes && r.frames == maxFrames && r.kernel <= maxKernel && r.ratio <= ratio
}

func (r *result) print(out io.Writer) {
	_, _ = fmt.Fprintf(out, "per stalled client: resident set %d bytes, heap %d bytes\n", r.rss, r.heap)
	_, _ = fmt.Fprintf(out, "healthy p99: %v calm, %v with stalls\n", time.Duration(r.calm), time.Duration(r.stalled))
	_, _ = fmt.Fprintf(out, "catching up: at most %d frames were in the kernel, and then one frame had up to %d notes\n",
		r.kernel, r.notes)
	_, _ = fmt.Fprintf(out, "stall: bytes per stalled client %d, healthy p99 ratio %.2f, frames to catch up %d\n",
		r.bytes, r.ratio, r.frames)
}
