package main

import (
	"errors"
	"fmt"
	"sync"
)

// complaints are what went wrong that must not, the first of them. Safe for concurrent use.
type complaints struct {
	mu   sync.Mutex
	list []error
	more int
}

const maxComplaints = 20

func (c *complaints) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) < maxComplaints {
		c.list = append(c.list, fmt.Errorf(format, args...))
	} else {
		c.more++
	}
}

// all is nil if there are none.
func (c *complaints) all() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := errors.Join(c.list...)
	if c.more > 0 {
		err = errors.Join(err, fmt.Errorf("and %d more like these", c.more))
	}
	return err
}
