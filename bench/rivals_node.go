//go:build linux

package main

// nodeRivals are the servers that run on Node.
func nodeRivals() []plug { return nil }
