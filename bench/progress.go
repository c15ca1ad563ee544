//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows a long phase on a terminal, and says elsewhere that it begins.
type progress struct {
	bar *progressbar.ProgressBar // nil: not a terminal
}

// phase begins a phase that ends at n.
func (b *bench) phase(what string, n int) *progress {
	if b.Quiet {
		return &progress{}
	}
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		_, _ = fmt.Fprintln(b.stderr, what)
		return &progress{}
	}
	return &progress{progressbar.NewOptions(n,
		progressbar.OptionSetWriter(b.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

func (p *progress) set(n int) {
	if p.bar != nil {
		_ = p.bar.Set(n)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// say tells what was done.
func (b *bench) say(format string, args ...any) {
	if !b.Quiet {
		_, _ = fmt.Fprintf(b.stderr, format+"\n", args...)
	}
}

// dial is fleet.dial with progress.
func (b *bench) dial(f *fleet) (time.Duration, error) {
	for _, n := range f.plan.notes {
		b.say("%s", n)
	}
	p := b.phase(fmt.Sprintf("dialling %d connections", f.conns), f.conns)
	defer p.end()
	return f.dial(p.set)
}

// measure is fleet.measure with progress.
func (b *bench) measure(f *fleet, what string, d time.Duration) (*window, error) {
	p := b.phase(fmt.Sprintf("%s for %v", what, d), int(d/time.Millisecond))
	defer p.end()
	return f.measure(d, func(now time.Duration) { p.set(int(now / time.Millisecond)) })
}

// streams are where a bench prints.
type streams struct{ stdout, stderr io.Writer }
