//go:build !linux

// Command stall needs Linux: it sets buffers of sockets and reads /proc.
package main

import "os"

func main() {
	println("stall: this needs Linux")
	os.Exit(1)
}
