package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// request is one of ours that has no answer yet.
type request struct {
	seq  uint64
	done func(payload []byte, err error) // once, on the goroutine that reads; payload is valid during the call
}

// Request sends a request to the room and waits for the reply, for as long as ctx allows. Besides Emit's errors there are:
// ctx's, a RemoteError with the room's word, a *codec.Error if the server dropped the request, if too many are unanswered or if
// the reply does not fit Resp, ErrReplyLost, and the end of the membership or the client. A request survives a lost connection:
// it is processed once, and answered when the connection is back. Not in callbacks: see Ask.
func Request[Req, Resp any](ctx context.Context, r *Room, call room.Call[Req, Resp], req Req) (Resp, error) {
	type answer struct {
		resp Resp
		err  error
	}
	var none Resp
	answers := make(chan answer, 1)
	id, err := ask(r, call, req, true, func(resp Resp, err error) { answers <- answer{resp, err} })
	if err != nil {
		return none, err
	}
	select {
	case a := <-answers:
		return a.resp, a.err
	case <-ctx.Done():
		r.forget(id)
		err = ctx.Err()
	case <-r.client.ending:
		err = r.client.Err()
	}
	select {
	case a := <-answers: // it was there as well
		return a.resp, a.err
	default:
		return none, fmt.Errorf("client: request %s: %w", string(call), err)
	}
}

// Ask is Request for callbacks: it does not wait, and done is called once with the answer, on the goroutine that reads, at
// the latest when the membership or the client ends. If Ask returns an error nothing was sent and done is not called.
func Ask[Req, Resp any](r *Room, call room.Call[Req, Resp], req Req, done func(Resp, error)) error {
	_, err := ask(r, call, req, false, done)
	return err
}

func ask[Req, Resp any](r *Room, call room.Call[Req, Resp], req Req, now bool, done func(Resp, error)) (uint32, error) {
	d := decoderFor[Resp](string(call))
	p := packerFor[Req]()
	k := p.get()
	answered := func(payload []byte, err error) {
		var resp Resp
		if err == nil {
			err = d.Decode(payload, &resp)
		}
		if err != nil {
			var none Resp
			resp, err = none, fmt.Errorf("client: request %s: %w", string(call), err)
		}
		done(resp, err)
	}
	var id uint32
	err := errOtherSession
	for err == errOtherSession { //nolint:errorlint // our own, as it is
		if err = k.packet(r.client, beginRequest, string(call), req); err == nil {
			id, err = r.sendRequest(k.buf, k.session, now, answered)
		}
	}
	p.put(k)
	return id, err
}

// sendRequest sends a packet to which only the request's id is missing. session is as for send. now: even in a Batch.
func (r *Room) sendRequest(packet []byte, session int, now bool, done func([]byte, error)) (uint32, error) {
	r.mu.Lock()
	if most := r.client.welcome.Load().Requests; most > 0 && len(r.requests) >= most {
		r.mu.Unlock()
		return 0, codec.Errorf(codec.TooManyRequests, "%d requests are unanswered already", most)
	}
	id := r.lastID + 1
	var tail [maxID]byte
	if err := r.putLocked(packet, codec.AppendUint(tail[:0], uint64(id)), session); err != nil {
		r.mu.Unlock()
		return 0, err
	}
	r.lastID = id
	if r.requests == nil {
		r.requests = map[uint32]request{}
	}
	r.requests[id] = request{seq: r.outbox.last(), done: done}
	corked := r.corked > 0
	r.mu.Unlock()
	if !corked || now {
		_ = r.flush(false) // if the connection has just ended, done is told
	}
	return id, nil
}

// forget gives a request up; its reply is passed over. It returns the request, if it was open.
func (r *Room) forget(id uint32) (request, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	req, ok := r.requests[id]
	delete(r.requests, id)
	return req, ok
}

// answered takes a reply or a failure. On the goroutine that reads.
func (r *Room) answered(p *codec.Packet) {
	req, ok := r.forget(p.ID)
	switch {
	case !ok:
	case p.Kind == codec.Reply:
		req.done(p.Payload, nil)
	default:
		var text string
		if err := codec.Unmarshal(p.Payload, &text); err != nil {
			text = "(no text)" // not reached: the frame was checked
		}
		req.done(nil, RemoteError(text))
	}
}

// onNotice is told that one of our packets was dropped. On the goroutine that reads.
func (r *Room) onNotice(what codec.Reasoned) error {
	r.mu.Lock()
	if r.link != live && r.link != mute {
		r.mu.Unlock()
		return codec.Errorf(codec.UnexpectedFrame, "a NOTICE on channel %d before its JOINED", what.Channel)
	}
	var dropped uint32
	for id, req := range r.requests {
		if req.seq == what.Seq {
			dropped = id
		}
	}
	h, abandoned := r.handlers.Load(), r.abandoned
	r.mu.Unlock()
	if abandoned {
		return nil
	}
	if req, ok := r.forget(dropped); ok {
		req.done(nil, &codec.Error{Code: what.Code, Reason: what.Reason})
	}
	for _, f := range h.notices {
		f(what.Code, what.Reason, what.Seq)
	}
	return nil
}

// Handle answers the room's requests of this name with what f returns. An error's text is told to the room, so it should hold no
// secrets. A second handler for the same name is a panic.
func Handle[Req, Resp any](r *Room, call room.Call[Req, Resp], f func(Req) (Resp, error)) {
	d, p := decoderFor[Req](string(call)), packerFor[Resp]()
	run := func(payload []byte, id uint32) {
		var req Req
		if err := d.Decode(payload, &req); err != nil {
			r.refuse(id, err)
			return
		}
		resp, err := f(req)
		if err != nil {
			r.refuse(id, err)
			return
		}
		k := p.get()
		if err = k.packet(r.client, beginReply, string(call), resp); err == nil {
			k.buf = codec.AppendUint(k.buf, uint64(id))
			_ = r.send(k.buf, r.session) // an error is the end of the connection, or of the membership
		}
		p.put(k)
		if err != nil {
			r.refuse(id, err)
		}
	}
	r.register(func(h *handlers) {
		for _, c := range h.calls {
			if c.name == string(call) {
				panic(fmt.Sprintf("client: request %q has a handler already", string(call)))
			}
		}
		h.calls = append(h.calls, callHandler{string(call), run})
	})
}

// asked runs the handler of a request. On the goroutine that reads.
func (r *Room) asked(h *handlers, name string, p *codec.Packet) {
	for _, c := range h.calls {
		if c.name == name {
			c.run(p.Payload, p.ID)
			return
		}
	}
	_ = r.send(codec.AppendFailure(nil, "no handler", p.ID), r.session)
}

func (r *Room) refuse(id uint32, err error) {
	_ = r.send(codec.AppendFailure(nil, strings.ToValidUTF8(err.Error(), "\uFFFD"), id), r.session)
}
