//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"io"
)

// The conductor's lines to a child: first one spec, then commands. The child answers the spec with one reply, and each command
// with any number of replies that have Progress, then one without.
type command struct {
	Do     string `json:"do"`
	Reset  bool   `json:"reset,omitempty"`  // mark: a new window begins
	Burst  int    `json:"burst,omitempty"`  // broadcast: messages in one volley
	Window int    `json:"window,omitempty"` // broadcast: messages on their way at once
	Conns  int    `json:"conns,omitempty"`  // dial: how many
}

// reply is a child's answer. What it says depends on the child.
type reply struct {
	Progress *int          `json:"progress,omitempty"`
	Err      string        `json:"err,omitempty"`
	Addr     string        `json:"addr,omitempty"` // a server's, after its spec
	Server   *serverReport `json:"server,omitempty"`
	Load     *loadReport   `json:"load,omitempty"`
}

// serverSpec is what a server process is to be. A rival gets it as well, and reads what it understands.
type serverSpec struct {
	Addr      string `json:"addr"`
	Transport string `json:"transport"` // ws or tcp
	TLS       bool   `json:"tls"`
	ReusePort bool   `json:"reuse_port"`

	Workload string `json:"workload"`
	Dialect  string `json:"dialect"` // that the load speaks
	Rate     int    `json:"rate"`    // ticks a second of rooms; of tick: of every task
	Clients  int    `json:"clients"` // in a room
	Rooms    int    `json:"rooms"`   // tick: how many tasks

	Pollers       int   `json:"pollers"`
	Workers       int   `json:"workers"`
	TickOnPollers bool  `json:"tick_on_pollers"`
	PingMs        int64 `json:"ping_ms"`
	AcksMs        int64 `json:"acks_ms"`

	Profile string `json:"profile,omitempty"` // a file for the CPU profile of the window
	Allocs  string `json:"allocs,omitempty"`  // a file for the profile of allocations; FILE.base is that of the window's beginning
}

// loadSpec is what a load process is to do.
type loadSpec struct {
	Addr      string   `json:"addr"`
	Transport string   `json:"transport"`
	TLS       bool     `json:"tls"`
	Dialect   string   `json:"dialect"`
	Sources   []string `json:"sources"` // local addresses to dial from; empty: any
	AtOnce    int      `json:"at_once"` // handshakes under way
	Conns     int      `json:"conns"`   // at most

	Kind     string `json:"kind"`      // of room
	Event    string `json:"event"`     // that it sends
	Send     int    `json:"send"`      // bytes of that event's payload
	Receive  int    `json:"receive"`   // bytes of the payloads that count
	PeriodNs int64  `json:"period_ns"` // between two sends of a connection; 0: none
	Style    string `json:"style"`     // paced, turns, listen
	Seats    int    `json:"seats"`     // stamps in a payload; 0: one
	Phase    int    `json:"phase"`     // of this process among the load processes
	Phases   int    `json:"phases"`
}

// serverReport is what a server process knows about itself.
type serverReport struct {
	At        int64  `json:"at"`     // monotonic, in ns
	CPU       int64  `json:"cpu_ns"` // since it began
	RSS       int64  `json:"rss"`    // bytes
	Anonymous int64  `json:"anonymous"`
	Heap      int64  `json:"heap"`   // live and dead objects
	Allocs    uint64 `json:"allocs"` // objects since it began; of the command allocs alone
	GCs       uint32 `json:"gcs"`

	Steps    uint64       `json:"steps"`   // ticks that were run in the window
	Skipped  uint64       `json:"skipped"` // ticks that were not
	Lateness []percentile `json:"lateness,omitempty"`

	Open   int    `json:"open"`   // connections
	Rooms  int    `json:"rooms"`  // open
	Frames uint64 `json:"frames"` // handed to the sockets since it began
	Slow   uint64 `json:"slow"`   // clients closed because they fell behind
	Failed uint64 `json:"failed"` // rooms
}

// percentile is a point of a distribution.
type percentile struct {
	P  float64 `json:"p"` // 0 to 100
	Us float64 `json:"us"`
}

// loadReport is what a load process has seen in its window.
type loadReport struct {
	At       int64          `json:"at"` // monotonic, in ns
	CPU      int64          `json:"cpu_ns"`
	Joined   int            `json:"joined"` // since it began
	Live     int            `json:"live"`
	Due      uint64         `json:"due"`      // sends that the pace asked for
	Sent     uint64         `json:"sent"`     // those that were made
	Frames   uint64         `json:"frames"`   // VOLLEYs with at least one message that counts
	Messages uint64         `json:"messages"` // those messages
	Answers  uint64         `json:"answers"`  // stamps that came back
	Bytes    uint64         `json:"bytes"`
	Closed   map[string]int `json:"closed,omitempty"` // why connections ended, since it began
	Latency  []byte         `json:"latency,omitempty"`
	Late     []byte         `json:"late,omitempty"` // how late sends were
}

// pipe is one end of the conversation between conductor and child.
type pipe struct {
	in  *bufio.Reader
	out io.Writer
}

func newPipe(in io.Reader, out io.Writer) *pipe { return &pipe{bufio.NewReader(in), out} }

// send writes one line.
func (p *pipe) send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = p.out.Write(append(b, '\n'))
	return err
}

// receive reads one line into v.
func (p *pipe) receive(v any) error {
	line, err := p.in.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}
