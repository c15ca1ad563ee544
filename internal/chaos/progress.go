package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run is: as a bar on a terminal, elsewhere by a line now and then.
type progress struct {
	out  io.Writer
	most int
	bar  *progressbar.ProgressBar // nil: not a terminal
	last time.Time                // of the last line
}

const lineEvery = 10 * time.Second

func newProgress(what string, most int) *progress {
	p := &progress{out: os.Stderr, most: most, last: time.Now()}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		p.bar = progressbar.NewOptions(most, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) set(n int) {
	switch {
	case p.bar != nil:
		_ = p.bar.Set(min(n, p.most))
	case time.Since(p.last) >= lineEvery:
		p.last = time.Now()
		_, _ = fmt.Fprintf(p.out, "%d of %d\n", n, p.most)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
