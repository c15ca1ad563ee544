package client

import (
	"context"
	"fmt"
	"time"

	"github.com/volley-go/volley/codec"
)

// JoinOrCreate joins an open room of the kind, or creates one. options is any value that the game expects, or nil.
//
// Each setup is called with the room before the server is asked, on this goroutine: the place to register handlers, so that
// no event is missed. A refusal is a *LeftError. When ctx ends first the room is left as soon as the server lets us in. A join
// survives a lost connection.
func (c *Client) JoinOrCreate(ctx context.Context, kind string, options any, setup ...func(*Room)) (*Room, error) {
	return c.join(ctx, codec.JoinOrCreate, kind, options, setup)
}

// Create creates a room of the kind and joins it; see JoinOrCreate.
func (c *Client) Create(ctx context.Context, kind string, options any, setup ...func(*Room)) (*Room, error) {
	return c.join(ctx, codec.Create, kind, options, setup)
}

// Join joins an open room of the kind; see JoinOrCreate.
func (c *Client) Join(ctx context.Context, kind string, options any, setup ...func(*Room)) (*Room, error) {
	return c.join(ctx, codec.Join, kind, options, setup)
}

// JoinByID joins the room with that id; see JoinOrCreate.
func (c *Client) JoinByID(ctx context.Context, id string, options any, setup ...func(*Room)) (*Room, error) {
	return c.join(ctx, codec.JoinByID, id, options, setup)
}

func (c *Client) join(ctx context.Context, how codec.How, name string, options any, setup []func(*Room)) (*Room, error) {
	opts, err := c.joinOptions(name, options)
	if err != nil {
		return nil, err
	}
	r := newRoom(c)
	r.wish = wish{how, name, opts}
	for _, f := range setup {
		f(r)
	}
	if err := c.seat(r); err != nil {
		return nil, err
	}
	c.sendJoin(r)
	select {
	case <-r.settled:
	case <-c.ending:
	case <-ctx.Done():
	}
	return r.admitted(ctx)
}

// joinOptions encodes the options and refuses what the server would close the connection for.
func (c *Client) joinOptions(name string, options any) ([]byte, error) {
	if err := checkName("kind or id", name); err != nil {
		return nil, err
	}
	b, err := codec.Marshal(options)
	if err == nil {
		err = codec.Scan(b, c.Limits())
	}
	if most := c.Limits().Frame - codec.MaxName - 16; err == nil && len(b) > most {
		err = codec.Errorf(codec.TooBig, "%d bytes; the server takes %d", len(b), most)
	}
	if err != nil {
		return nil, fmt.Errorf("client: join options: %w", err)
	}
	return b, nil
}

// seat gives r a channel.
func (c *Client) seat(r *Room) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	for i, taken := range c.channels {
		if taken == nil {
			r.channel = uint32(i)
			c.channels[i] = r
			return nil
		}
	}
	if n, most := len(c.channels), c.welcome.Load().Rooms; most > 0 && n >= most {
		return &LeftError{codec.TooManyRooms, fmt.Sprintf("this connection is in %d rooms already", n)}
	}
	r.channel = uint32(len(c.channels))
	c.channels = append(c.channels, r)
	return nil
}

// admitted is what became of a join whose wait is over.
func (r *Room) admitted(ctx context.Context) (*Room, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.why != nil && r.facts.Client == 0:
		return nil, r.why
	case r.facts.Client != 0: // it may be over already, or being joined again
		return r, nil
	}
	r.abandoned = true
	if e := r.client.ended(); e != nil {
		return nil, e
	}
	return nil, ctx.Err()
}

// onJoined is the server's yes. On the goroutine that reads.
func (r *Room) onJoined(j codec.Joined) error {
	r.mu.Lock()
	if r.state != joining || !r.sent {
		r.mu.Unlock()
		return codec.Errorf(codec.BadChannel, "JOINED on channel %d, which is joined", j.Channel)
	}
	if j.Client == 0 {
		r.mu.Unlock()
		return codec.Errorf(codec.Malformed, "JOINED without a client number")
	}
	first := r.facts.Client == 0
	r.facts, r.tick, r.told = j, j.Tick, j.Tick
	r.state, r.link, r.session = joined, live, r.client.names.Load().session
	if r.abandoned || r.quit {
		r.state = leaving
	}
	wanted, lost := r.state == joined, r.lost
	r.lost = 0
	h := r.handlers.Load()
	r.mu.Unlock()
	switch {
	case first:
		close(r.settled)
	case wanted:
		for _, f := range h.rejoins {
			f(lost)
		}
	}
	if !wanted {
		_ = r.flush(false)
	}
	return nil
}

// over ends the membership, or the wish for one. On the goroutine that reads. The channel is free already.
func (r *Room) over(why error, code codec.Code, reason string) {
	r.mu.Lock()
	was := r.facts.Client != 0 // it was in
	r.state, r.link, r.why = left, cold, why
	requests, h := r.takeLocked(r.outbox.last()), r.handlers.Load()
	r.requests = nil
	r.mu.Unlock()
	if !was {
		close(r.settled)
	}
	fail(requests, why)
	if was && !r.abandoned { // abandoned changes before the first JOINED only
		for _, f := range h.lefts {
			f(code, reason)
		}
	}
	r.mu.Lock()
	if r.done == nil {
		r.done = closedChan
	} else {
		close(r.done)
	}
	r.mu.Unlock()
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Leave leaves the room, behind what has been emitted, and waits until the server has confirmed it, or ctx ends: the room is
// being left all the same. Events may still arrive until then. It returns nil if this client is out, for whatever reason, unless
// that is the client's end. Not in callbacks.
func (r *Room) Leave(ctx context.Context) error {
	r.mu.Lock()
	switch {
	case r.state == joined:
		r.state, r.ackDue = leaving, time.Time{}
	case r.state == joining && r.rejoin != firstJoin:
		r.quit = true
	}
	r.mu.Unlock()
	_ = r.flush(false) // what waits, and LEAVE
	select {
	case <-r.Done():
	case <-r.client.ending:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.why.(*LeftError); ok {
		return nil
	}
	return r.goneLocked()
}
