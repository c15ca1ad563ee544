//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is CLOCK_MONOTONIC in ns: every process of a machine reads the same. time.Since asks the same clock without a
// system call.
func monotonic() int64 { return clockBase + int64(time.Since(clockBegan)) }

var (
	clockBase  = clockNow()
	clockBegan = time.Now()
)

func clockNow() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // it cannot fail with this clock
	return ts.Nano()
}

// cpuOf is the CPU time that a process has used, all its threads together, dead ones included, user and system. It is the clock
// of clock_getcpuclockid(3): exact to the nanosecond, where /proc/PID/stat counts hundredths of a second.
func cpuOf(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
		return 0, fmt.Errorf("the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// memory is what a process holds.
type memory struct {
	rss       int64 // pages in memory, those of the program's file too
	anonymous int64 // without them
}

// memoryOf reads /proc/PID/smaps_rollup, which counts pages; the counters of /proc/PID/status may lag by 64 pages a thread.
func memoryOf(pid int) (memory, error) {
	kb, err := kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return memory{}, err
	}
	return memory{rss: kb["Rss"] << 10, anonymous: kb["Anonymous"] << 10}, nil
}

// kernelMemory is what the kernel holds for its own objects: all slabs (sockets, files, inodes, epoll entries, descriptor
// tables) and what the TCP stack says it uses for buffers in pages of its own. It counts the whole machine, so only
// a difference means something, and only where nothing else is going on. With both ends of the connections on this machine the
// difference is that of both ends.
type kernelMemory struct{ slab, buffers int64 }

func kernelMemoryNow() (k kernelMemory, err error) {
	kb, err := kilobytes("/proc/meminfo")
	if err != nil {
		return k, err
	}
	k.slab = kb["Slab"] << 10
	b, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return k, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "TCP:" && f[len(f)-2] == "mem" {
			pages, _ := strconv.ParseInt(f[len(f)-1], 10, 64)
			k.buffers = pages * int64(os.Getpagesize())
		}
	}
	return k, nil
}

// kilobytes reads the "Name:   12 kB" lines of a file of /proc.
func kilobytes(path string) (map[string]int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	kb := map[string]int64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 3 && f[2] == "kB" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", path, lines.Text(), err)
			}
			kb[strings.TrimSuffix(f[0], ":")] = n
		}
	}
	return kb, lines.Err()
}
