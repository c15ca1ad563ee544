//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// fleet is the processes of one measurement.
type fleet struct {
	ctx     context.Context
	servers []*child
	loads   []*child
	addr    string // of the server
	control bool   // the remote server takes our commands
	conns   int
	plan    plan
}

// job is what a fleet is for.
type job struct {
	conns  int
	server serverSpec
	load   loadSpec
	plug   plug // nil: Volley
	gogc   int  // GOGC of server processes in Go; 0: their own choice
}

// muster starts the processes. The caller ends them by disband.
func (b *bench) muster(ctx context.Context, j job) (f *fleet, err error) {
	files, err := openFiles()
	if err != nil {
		return nil, err
	}
	if b.Files > 0 {
		files = min(files, b.Files)
	}
	f = &fleet{ctx: ctx, addr: b.Addr, conns: j.conns, plan: makePlan(j.conns, files, b.Addr, b.Source)}
	defer func() {
		if err != nil {
			f.disband()
		}
	}()
	if b.Pin && b.Addr == "" {
		f.plan.pin()
	}
	if b.Addr == "" {
		if err = f.startServers(j, b); err != nil {
			return f, err
		}
	} else {
		_, e := f.post(command{Do: "mark", Reset: true})
		f.control = e == nil
		f.plan.note("the server at %s is not ours%s", b.Addr, map[bool]string{
			true: "; it answers for itself", false: ", so nothing is known about its CPU and memory"}[f.control])
	}
	j.load.Addr = f.addr
	err = f.startLoads(j, b)
	return f, err
}

func (f *fleet) startServers(j job, b *bench) error {
	p := j.plug
	if p == nil {
		p = volleyPlug{}
	}
	l, err := p.launch()
	if err != nil {
		return err
	}
	l.cpus, l.procs, l.gogc = f.plan.serverCPUs, cmp.Or(l.procs, b.Procs), j.gogc
	j.server.ReusePort, j.server.Dialect = f.plan.servers > 1, p.dialect()
	for i := range f.plan.servers {
		s, err := start(f.ctx, l)
		if err != nil {
			return err
		}
		f.servers = append(f.servers, s)
		if i > 0 {
			j.server.Profile, j.server.Allocs = "", ""
		}
		r, err := s.ask(j.server, nil)
		if err != nil {
			return err
		}
		j.server.Addr = r.Addr // of the first, port included
	}
	f.addr = j.server.Addr
	return nil
}

func (f *fleet) startLoads(j job, b *bench) error {
	l, err := ourselves("load")
	if err != nil {
		return err
	}
	l.cpus, l.procs = f.plan.loadCPUs, 2
	if j.plug != nil {
		j.load.Dialect = j.plug.dialect()
	}
	n := len(f.plan.loads)
	for i, conns := range f.plan.loads {
		c, err := start(f.ctx, l)
		if err != nil {
			return err
		}
		f.loads = append(f.loads, c)
		spec := j.load
		spec.Conns, spec.Phase, spec.Phases = conns, i, n
		spec.AtOnce = max(b.AtOnce/n, 1)
		spec.Sources = f.plan.part(i, n)
		if _, err := c.ask(spec, nil); err != nil {
			return err
		}
	}
	return nil
}

// disband ends all processes: the load first, so that no server says goodbye to thousands one by one.
func (f *fleet) disband() {
	for _, group := range [][]*child{f.loads, f.servers} {
		var wg sync.WaitGroup
		for _, c := range group {
			wg.Go(c.end)
		}
		wg.Wait()
	}
}

// each sends a command to all of them at once and returns their answers in order.
func each(children []*child, c func(i int) command, progress func(i, n int)) ([]reply, error) {
	out := make([]reply, len(children))
	errs := make([]error, len(children))
	var wg sync.WaitGroup
	for i, ch := range children {
		wg.Go(func() {
			out[i], errs[i] = ch.ask(c(i), func(n int) {
				if progress != nil {
					progress(i, n)
				}
			})
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

func same(c command) func(int) command { return func(int) command { return c } }

// dial connects everybody and returns how long it took.
func (f *fleet) dial(show func(joined int)) (time.Duration, error) {
	var mu sync.Mutex
	joined := make([]int, len(f.loads))
	began := time.Now()
	out, err := each(f.loads, func(i int) command { return command{Do: "dial", Conns: f.plan.loads[i]} }, func(i, n int) {
		mu.Lock()
		defer mu.Unlock()
		joined[i] = n
		sum := 0
		for _, n := range joined {
			sum += n
		}
		show(sum)
	})
	took := time.Since(began)
	if err != nil {
		return took, f.why(err)
	}
	sum, closed := 0, map[string]int{}
	for _, r := range out {
		sum += r.Load.Joined
		for why, n := range r.Load.Closed {
			closed[why] += n
		}
	}
	show(sum)
	if sum < f.conns {
		return took, fmt.Errorf("only %d of %d connections could join: %v", sum, f.conns, closed)
	}
	return took, nil
}

// why prefers the reason why ctx has ended to what came of it.
func (f *fleet) why(err error) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	return err
}

// play, halt and broadcast tell them what to do.
func (f *fleet) play() error {
	_, err := each(f.loads, same(command{Do: "play"}), nil)
	return f.why(err)
}

func (f *fleet) halt() error {
	_, err := each(f.loads, same(command{Do: "halt"}), nil)
	return f.why(err)
}

func (f *fleet) broadcast(burst, window int) error {
	_, err := f.askServers(command{Do: "broadcast", Burst: burst, Window: window})
	return err
}

// askServers sends a command to our servers, or to the remote one if it listens.
func (f *fleet) askServers(c command) ([]reply, error) {
	if len(f.servers) > 0 {
		out, err := each(f.servers, same(c), nil)
		return out, f.why(err)
	}
	if !f.control {
		return nil, nil
	}
	r, err := f.post(c)
	return []reply{r}, err
}

// post sends a command to a remote `bench serve`.
func (f *fleet) post(c command) (r reply, err error) {
	body, err := json.Marshal(c)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(f.ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.addr+controlPath, bytes.NewReader(body))
	if err != nil {
		return r, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return r, fmt.Errorf("the server answers %s; is it `bench serve`?", answer.Status)
	}
	err = json.NewDecoder(answer.Body).Decode(&r)
	return r, err
}

// wait sleeps, unless the bench is to end.
func (f *fleet) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}
