//go:build !linux

package netio

// unacked is not known on this system.
func (c *Conn) unacked() int { return 0 }
