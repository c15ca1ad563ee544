package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/volley-go/volley/codec"
)

// lives is a scripted server over memory that sees one client through several connections: each takes the next script. A script
// that returns cuts its connection without a word. A nil script is a dial that fails; so are all behind the last.
type lives struct {
	tb      testing.TB
	scripts []func(p *peer)
	dials   texts // when and where
	start   time.Time
}

// texts is a list that goroutines may share.
type texts struct {
	mu   sync.Mutex
	list []string
}

func (x *texts) add(s string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, s)
}

func (x *texts) all() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.list)
}

var errUnreachable = errors.New("nobody is there")

func (l *lives) dial(_ context.Context, _, address string) (net.Conn, error) {
	n := len(l.dials.all())
	l.dials.add(fmt.Sprint(time.Since(l.start).Round(ms), " ", address))
	if n >= len(l.scripts) || l.scripts[n] == nil {
		return nil, errUnreachable
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		l.scripts[n](accept(l.tb, theirs, strings.HasSuffix(address, ":80")))
	}()
	return ours, nil
}

// inLives runs a client through the scripts in a bubble of virtual time. The waits are half of their limits: 250 ms, 500 ms …
func inLives(t *testing.T, cfg Config, run func(t *testing.T, c *Client, l *lives), scripts ...func(p *peer)) {
	t.Helper()
	overBoth(t, func(t *testing.T, address string) {
		l := &lives{tb: t, scripts: scripts, start: time.Now()}
		cfg := cfg
		cfg.NetDial = l.dial
		if cfg.Reconnect.Rand == nil {
			cfg.Reconnect.Rand = func() float64 { return 0.5 }
		}
		if cfg.Reconnect.Tries == 0 {
			cfg.Reconnect.Tries = 50 // or a test that has failed would go on in no time for ever
		}
		c, err := Dial(context.Background(), address, cfg)
		check(t, err)
		run(t, c, l)
		_ = c.Close()
		<-c.Done()
		synctest.Wait() // for the scripts
	})
}

// overBoth runs a test over WebSocket and TCP, each in a bubble.
func overBoth(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	for _, address := range []string{"ws://memory/", "tcp://memory:1"} {
		t.Run(address[:strings.Index(address, ":")], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, address) })
		})
	}
}

// welcomes is a new session's WELCOME, with that token.
func welcomes(token string) codec.Welcome {
	w := welcome()
	w.Token = token
	return w
}

// hellos takes HELLO, which must resume with that token, and carries the session on with the next one. It returns the channels
// as text: "0:101 2:joining".
func (p *peer) hellos(token, next string) string {
	p.tb.Helper()
	w := welcomes(next)
	w.Resumed = true
	return p.resumes(token, codec.AppendWelcome(nil, w))
}

// refuses takes HELLO, which must resume with that token, and refuses it.
func (p *peer) refuses(token string) {
	p.tb.Helper()
	p.resumes(token, codec.AppendBye(nil, codec.ResumeFailed, "not known", 0, ""))
	p.end()
}

func (p *peer) resumes(token string, answer []byte) string {
	p.tb.Helper()
	r, n := p.want(codec.FrameHello)
	h, err := r.Hello(n)
	if err != nil || h.Resume == nil || h.Resume.Token != token || h.Auth != nil {
		p.tb.Errorf("peer: hello %+v, resume %+v, error %v; want token %q", h, h.Resume, err, token)
		return ""
	}
	if answer != nil {
		p.send(answer)
	}
	var list []string
	for _, ch := range h.Resume.Channels {
		if ch.Joining {
			list = append(list, fmt.Sprintf("%d:joining", ch.Channel))
		} else {
			list = append(list, fmt.Sprintf("%d:%d", ch.Channel, ch.Tick))
		}
	}
	return strings.Join(list, " ")
}

// anew takes the HELLO of a new session and answers it.
func (p *peer) anew(token string) {
	p.tb.Helper()
	if h := p.hello(welcomes(token)); h.Resume != nil {
		p.tb.Error("peer: HELLO resumes a session")
	}
}

// wantPackets reads a VOLLEY and compares it with "seq/tick: packets", each packet its kind and payload.
func (p *peer) wantPackets(want string) volley {
	p.tb.Helper()
	v := p.wantVolley()
	got := fmt.Sprintf("%d/%d:", v.Seq, v.Tick)
	for _, k := range v.packets {
		var value any
		check(p.tb, codec.Unmarshal(k.Payload, &value))
		got += fmt.Sprintf(" %s %v", [...]string{"event", "request", "reply", "failure"}[k.Kind], value)
	}
	equal(p.tb, "volley", got, want)
	return v
}

// wantJoin reads a JOIN and compares it with "channel how name".
func (p *peer) wantJoin(want string) {
	p.tb.Helper()
	r, n := p.want(codec.FrameJoin)
	j, err := r.Join(n)
	check(p.tb, err)
	equal(p.tb, "join", fmt.Sprint(j.Channel, " ", j.How, " ", j.Name), want)
}

// wantLeave reads a LEAVE of channel 0 and answers it.
func (p *peer) wantLeave() {
	p.tb.Helper()
	p.want(codec.FrameLeave)
	p.send(codec.AppendLeft(nil, 0, codec.Left, ""))
}

func resumed(seq uint64) []byte { return codec.AppendResumed(nil, 0, seq) }

// states collects what a client says of itself, as text.
func states(c *Client) *texts {
	var list texts
	c.OnState(func(s State) {
		text := s.Phase.String()
		switch s.Phase {
		case Reconnecting:
			text += fmt.Sprint(" ", s.Attempt, " in ", s.Delay, " after ", uint16(s.Err.Code))
		case Connecting:
			text += fmt.Sprint(" ", s.Attempt)
		case Connected:
			text += fmt.Sprint(" ", s.Resumed)
		case Closed:
			text += fmt.Sprint(" ", uint16(s.Err.Code))
		}
		list.add(text)
	})
	return &list
}

// join joins the room of the tests, with all that was heard of it, as text.
func join(t testing.TB, c *Client) (*Room, *texts) {
	t.Helper()
	var heard texts
	hear := func(format string, args ...any) { heard.add(fmt.Sprintf(format, args...)) }
	r, err := c.JoinOrCreate(context.Background(), "pong", "opts", func(r *Room) {
		On(r, said, func(s string, m Meta) { hear("%s@%d", s, m.Tick) })
		Handle(r, greet, func(name string) (string, error) { hear("greet %s", name); return "hello " + name, nil })
		r.OnResync(func(tick uint64) { hear("resync %d", tick) })
		r.OnRejoin(func(lost int) { hear("rejoin %d", lost) })
		r.OnLeft(func(code codec.Code, _ string) { hear("left %d", code) })
	})
	check(t, err)
	return r, &heard
}

func equalTexts(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	equal(t, what, strings.Join(got, " | "), strings.Join(want, " | "))
}
