//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// plan is how many processes it takes, and where they run.
type plan struct {
	servers    int
	loads      []int    // connections of each
	sources    []string // local addresses of each load process are a part of these; empty: any
	serverCPUs []int    // empty: anywhere
	loadCPUs   []int
	notes      []string // what was done, in words
}

// What a process needs files for beside the connections: handshakes under way hold two for a moment, and there are epoll, pipes
// and the program's own.
const (
	serverSpare = 1024
	loadSpare   = 128
)

// perSource is how many connections one local address is good for: well below the ports that the kernel hands out, since it
// has to search for the last ones.
const perSource = 8000

// makePlan splits conns connections, when a process may open files files.
func makePlan(conns, files int, server, source string) plan {
	p := plan{servers: 1}
	if conns+serverSpare > files {
		// The kernel deals connections out by a hash, so some processes get more than their share.
		p.servers = ceil(conns, (files-serverSpare)*95/100)
		p.note("a process may open %d files (RLIMIT_NOFILE): %d server processes share the port (SO_REUSEPORT)", files, p.servers)
	}
	n := ceil(conns, files-loadSpare)
	for i := range n {
		p.loads = append(p.loads, conns*(i+1)/n-conns*i/n)
	}
	if n > 1 {
		p.note("%d load processes dial", n)
	}
	if server == "" && conns > perSource {
		p.sources = sourcesFrom(source, max(n, ceil(conns, perSource)))
		p.note("from %d local addresses, %s to %s", len(p.sources), p.sources[0], p.sources[len(p.sources)-1])
	}
	return p
}

func (p *plan) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func ceil(n, by int) int { return (n + by - 1) / max(by, 1) }

// sourcesFrom returns n addresses from first on.
func sourcesFrom(first string, n int) []string {
	a, err := netip.ParseAddr(first)
	if err != nil {
		a = netip.AddrFrom4([4]byte{127, 0, 1, 1})
	}
	var out []string
	for ; len(out) < n; a = a.Next() {
		if b := a.As4(); b[3] != 0 && b[3] != 255 {
			out = append(out, a.String())
		}
	}
	return out
}

// part is the sources of load process i of n.
func (p *plan) part(i, n int) []string {
	if len(p.sources) == 0 {
		return nil
	}
	k := len(p.sources)
	return p.sources[k*i/n : max(k*(i+1)/n, k*i/n+1)]
}

// pin gives the server one core and the load the others.
func (p *plan) pin() {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil || set.Count() < 2 {
		p.note("there is one core: server and load share it, and the figures suffer")
		return
	}
	var cpus []int
	for i := range 1024 {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	last := len(cpus) - 1
	p.serverCPUs, p.loadCPUs = cpus[last:], cpus[:last]
	p.note("server on core %v, load on %v", p.serverCPUs, p.loadCPUs)
}

// openFiles is how many files a process may open. Go has raised the soft limit to the hard one already.
func openFiles() (int, error) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, err
	}
	return int(min(r.Cur, 1<<24)), nil
}

// warnings names limits of the machine that so many connections run into.
func warnings(conns int) (out []string) {
	for _, l := range []struct {
		file string
		need int
	}{
		{"/proc/sys/fs/file-max", 2*conns + 10_000},
		{"/proc/sys/net/netfilter/nf_conntrack_max", 2 * conns},
	} {
		if n, ok := readInt(l.file); ok && n < l.need {
			out = append(out, fmt.Sprintf("%s is %d; %d connections with both ends here want %d", l.file, n, conns, l.need))
		}
	}
	if low, high, ok := portRange(); ok && high-low < perSource {
		out = append(out, fmt.Sprintf("net.ipv4.ip_local_port_range has %d ports; -source addresses are planned for %d each",
			high-low, perSource))
	}
	return out
}

func readInt(file string) (int, bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}

func portRange() (low, high int, ok bool) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, 0, false
	}
	_, err = fmt.Sscan(string(b), &low, &high)
	return low, high, err == nil
}

// machine describes where the figures come from.
func machine() map[string]any {
	m := map[string]any{"cpus": runtime.NumCPU(), "go": runtime.Version(), "arch": runtime.GOARCH}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m["kernel"] = unix.ByteSliceToString(u.Release[:])
	}
	if kb, err := kilobytes("/proc/meminfo"); err == nil {
		m["memory_gib"] = float64(kb["MemTotal"]*10>>20) / 10
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m["cpu"] = strings.TrimSpace(value)
				break
			}
		}
	}
	return m
}
