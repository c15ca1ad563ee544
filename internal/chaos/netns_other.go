//go:build !linux

package main

import (
	"errors"
	"net"
)

const serverAddr = ""

// lossy needs network namespaces.
type lossy struct{}

func newLossy(float64) (*lossy, error) {
	return nil, errors.New("-netns needs Linux, for network namespaces")
}

func (*lossy) listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (*lossy) lost() (int, error) { return 0, nil }

func (*lossy) close() {}
