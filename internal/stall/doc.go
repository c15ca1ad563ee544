//go:build linux

// Command stall shows what a client that stops reading costs: the server some memory, the others nothing, and itself one frame.
//
//	go run ./internal/stall    # 1,000 clients, of which 100 stop reading for 10 s: make stall
//
// The server is a process of its own; the clients are in this one. Calm windows and windows with a stall take turns, so that
// what else goes on at the machine comes to both.
//
// # What is measured
//
//   - bytes per stalled client: how much the server's memory grows from the beginning of a stall to its end, divided by
//     the clients that stall: of the resident set and of the heap in use after a collection the larger one; the
//     median of the windows.
//   - healthy p99 ratio: the 99th percentile of the time from a tick to the event in a healthy client's callback, the median of
//     the windows with a stall over that of the calm ones. Waking up, over one second, is part of a window.
//   - frames to catch up: how many frames a client gets, once it reads again, from where the server had stopped sending until it
//     is as far as its neighbours; the most of any client in any window. What the kernel had taken before is not
//     among them: those are frames of a tick each, and they must be few, for otherwise nothing has been stalled.
//
// Each tick tells everyone one numbered note, reliably, and the newest of some values. So a frame that catches up holds
// every note that was missed, in order, and each value once: anything else is a fault.
package main
