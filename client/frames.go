package client

import (
	"slices"
	"sync"
	"time"

	"github.com/volley-go/volley/codec"
)

// frame takes one frame of an open connection. What it returns is the connection's end.
func (c *Client) frame(p []byte) *CloseError {
	r := codec.NewReader(p, c.cfg.Limits)
	t, n, err := r.Frame()
	if err != nil {
		return fault(err)
	}
	switch t {
	case codec.FrameVolley:
		err = c.onVolley(&r, n)
	case codec.FramePing, codec.FramePong:
		err = c.onStamp(t, &r, n)
	case codec.FrameJoined:
		err = c.onJoined(&r, n)
	case codec.FrameNames:
		err = c.onNames(&r, n)
	case codec.FrameResumed:
		err = c.onResumed(&r, n)
	case codec.FrameResync:
		err = c.onResync(&r, n)
	case codec.FrameLeft, codec.FrameNotice, codec.FrameBye:
		var what codec.Reasoned
		if what, err = r.Reasoned(t, n); err != nil {
			break
		}
		if t == codec.FrameBye {
			return bye(what)
		}
		err = c.onReasoned(t, what)
	default:
		err = codec.Errorf(codec.UnexpectedFrame, "the server sent frame type %d, which cannot come now", t)
	}
	if err != nil {
		return fault(err)
	}
	return nil
}

func bye(what codec.Reasoned) *CloseError {
	return &CloseError{
		Code: what.Code, Reason: what.Reason, Delay: time.Duration(what.Delay) * time.Millisecond, Address: what.Address, Remote: true,
	}
}

func (c *Client) onStamp(t codec.FrameType, r *codec.Reader, n int) error {
	stamp, err := r.Stamp(n)
	if err != nil {
		return err
	}
	if t == codec.FramePong {
		c.pong(stamp)
		return nil
	}
	_ = c.writeControl(func(b []byte) []byte { return codec.AppendPong(b, stamp) })
	return nil
}

func (c *Client) onNames(r *codec.Reader, n int) error {
	first, more, err := r.Names(n)
	if err != nil {
		return err
	}
	t, err := c.names.Load().with(first, more)
	if err == nil {
		c.names.Store(t)
	}
	return err
}

func (c *Client) onJoined(rd *codec.Reader, n int) error {
	j, err := rd.Joined(n)
	if err != nil {
		return err
	}
	r := c.room(j.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "JOINED on channel %d, where no join waits", j.Channel)
	}
	return r.onJoined(j)
}

func (c *Client) onReasoned(t codec.FrameType, what codec.Reasoned) error {
	r := c.room(what.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "frame type %d on channel %d, which has no room", t, what.Channel)
	}
	if t == codec.FrameNotice {
		return r.onNotice(what)
	}
	c.onLeft(r, &LeftError{what.Code, what.Reason})
	return nil
}

// packets are places for the packets of one frame.
var packets = sync.Pool{New: func() any { return &packetList{} }}

type packetList struct{ list []codec.Packet }

func (c *Client) onVolley(rd *codec.Reader, n int) error {
	v, err := rd.ServerVolley(n)
	if err != nil {
		return err
	}
	r := c.room(v.Channel)
	if r == nil {
		return codec.Errorf(codec.BadChannel, "a VOLLEY on channel %d, which has no room", v.Channel)
	}
	p := packets.Get().(*packetList)
	if p.list, err = rd.Packets(n, p.list[:0]); err == nil {
		err = r.onVolley(v, p.list)
	}
	clear(p.list)
	if cap(p.list) <= 1<<10 {
		packets.Put(p)
	}
	return err
}

// room returns the room on a channel, or nil.
func (c *Client) room(channel uint32) *Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(channel) >= len(c.channels) {
		return nil
	}
	return c.channels[channel]
}

// rooms returns the rooms of the moment, those that are being joined or left included.
func (c *Client) rooms() []*Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.channels), func(r *Room) bool { return r == nil })
}
