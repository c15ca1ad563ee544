package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// lossy is a network that loses packets: the server's sockets are in a network namespace of their own, and between it and this
// one stands another, which forwards and drops at random. Delays come of that by themselves: TCP waits 200 ms or more before it
// sends again what the last packet of a burst held.
type lossy struct {
	router, server string // namespaces
	link           string // the interface in this one; the kernel removes it with its peer
}

// The addresses are of the block for tests of network devices (RFC 2544), which nobody routes.
const (
	ourAddr    = "198.18.77.1"
	routerAddr = "198.18.77.2"
	insideAddr = "198.18.77.5"
	serverAddr = "198.18.77.6"
	serverNet  = "198.18.77.4/30"
)

// newLossy makes the network. percent of the packets are lost, in each direction.
func newLossy(percent float64) (*lossy, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("-netns needs root, for network namespaces")
	}
	for tool, of := range map[string]string{"ip": "iproute2", "iptables": "iptables"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("-netns needs the program %s, which is not here; on Debian: apt-get install %s", tool, of)
		}
	}
	pid := os.Getpid()
	n := &lossy{
		router: fmt.Sprintf("volley-r%d", pid), server: fmt.Sprintf("volley-s%d", pid), link: fmt.Sprintf("vol%d", pid),
	}
	in := func(ns string) string { return "ip -n " + ns + " " }
	drop := fmt.Sprintf("ip netns exec %s iptables -A FORWARD -p tcp"+
		" -m statistic --mode random --probability %.4f -j DROP",
		n.router, percent/100)
	for _, line := range []string{
		"ip netns add " + n.router,
		"ip netns add " + n.server,
		"ip link add " + n.link + " type veth peer name outer netns " + n.router,
		"ip addr add " + ourAddr + "/30 dev " + n.link,
		"ip link set " + n.link + " up",
		in(n.router) + "addr add " + routerAddr + "/30 dev outer",
		in(n.router) + "link set outer up",
		in(n.router) + "link add inner type veth peer name eth0 netns " + n.server,
		in(n.router) + "addr add " + insideAddr + "/30 dev inner",
		in(n.router) + "link set inner up",
		in(n.server) + "addr add " + serverAddr + "/30 dev eth0",
		in(n.server) + "link set eth0 up",
		in(n.server) + "route add default via " + insideAddr,
		"ip route add " + serverNet + " via " + routerAddr,
		"ip netns exec " + n.router + " sysctl -q -w net.ipv4.ip_forward=1",
		drop,
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil { //nolint:gosec // our own lines
			n.close()
			return nil, fmt.Errorf("-netns: %s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	return n, nil
}

// listen opens a listener in the server's namespace. What it accepts lives there too, whatever thread uses it.
func (n *lossy) listen(network, address string) (net.Listener, error) {
	type opened struct {
		ln  net.Listener
		err error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocks it: the thread ends with the goroutine, and nobody else gets into the namespace
		var o opened
		defer func() { done <- o }()
		ns, err := os.Open("/var/run/netns/" + n.server)
		if err != nil {
			o.err = err
			return
		}
		defer ns.Close()
		if o.err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); o.err == nil {
			o.ln, o.err = net.Listen(network, address)
		}
	}()
	o := <-done
	return o.ln, o.err
}

// lost is how many packets the network has lost so far.
func (n *lossy) lost() (packets int, err error) {
	out, err := exec.Command("ip", "netns", "exec", n.router, "iptables", "-nvxL", "FORWARD").Output() //nolint:gosec // our own line
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "DROP") && strings.Contains(line, "statistic") {
			_, err = fmt.Sscan(line, &packets)
			return packets, err
		}
	}
	return 0, errors.New("the rule that drops packets is gone")
}

// close takes the network down.
func (n *lossy) close() {
	for _, args := range [][]string{{"netns", "del", n.server}, {"netns", "del", n.router}, {"link", "del", n.link}} {
		_ = exec.Command("ip", args...).Run() //nolint:gosec // what was not made cannot be taken down
	}
}
