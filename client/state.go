package client

import "time"

// Phase is what a client is doing about its connection.
type Phase uint8

const (
	Connected    Phase = iota // the server has welcomed it
	Reconnecting              // the connection is lost; the next try comes after State.Delay
	Connecting                // a try is under way
	Closed                    // it is over
)

func (p Phase) String() string {
	return [...]string{"connected", "reconnecting", "connecting", "closed"}[p]
}

// State is a client's phase with what goes with it.
type State struct {
	Phase Phase
	// Resumed says, of Connected, that this connection carries on the session of the one before, with its rooms. false: it is a
	// new session.
	Resumed bool
	// Attempt is the number of the try that comes or is under way, from 1 on. It begins anew when a connection has lasted for
	// Reconnect.Steady. 0 unless Reconnecting or Connecting.
	Attempt int
	// Delay is how long that try waits, from the beginning of Reconnecting.
	Delay time.Duration
	// Err is why the connection was lost, or the last try failed, and of Closed why the client ended. nil if Connected.
	Err *CloseError
}

// State returns what the client is doing.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// OnState calls f with each state from now on, on the goroutine that reads. The client must not be waited for in f.
func (c *Client) OnState(f func(State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onState = append(c.onState[:len(c.onState):len(c.onState)], f)
}

// setState changes the state and tells. On the goroutine that reads.
func (c *Client) setState(s State) {
	c.mu.Lock()
	c.state = s
	hooks := c.onState
	c.mu.Unlock()
	for _, f := range hooks {
		f(s)
	}
}
