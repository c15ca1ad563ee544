package volley_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley"
	"github.com/volley-go/volley/codec"
	"github.com/volley-go/volley/room"
)

// A connection is lost and another one carries on: nothing is missed, nothing comes twice, in either direction.
func TestResume(t *testing.T) {
	for _, transport := range []string{"ws", "tcp"} {
		bothWays(t, func(t *testing.T, cfg volley.Config) {
			if cfg.TLS != nil {
				return // raw speaks none; below the frames nothing differs, and netio's tests have both
			}
			kind, all := newDens(room.Config{})
			srv := serve(t, cfg, kind)
			ann, bob := newGhost(t, srv, transport), newGhost(t, srv, transport)
			a, b := ann.join(0, ""), bob.join(3, "")
			ann.emit(0, "speak", "one")
			ann.until(func() bool { return len(a.heard) == 1 })
			bob.until(func() bool { return len(b.heard) == 1 })
			all.hears(t, "join 1", "join 2")

			ann.emit(0, "speak", "arrives, but its echo is lost")
			bob.until(func() bool { return len(b.heard) == 2 })
			ann.cut()
			eventually(t, "the loss is noticed", func() bool { return srv.Stats().Sessions.Away == 1 && srv.Stats().Rooms.Away == 1 })
			for i := range 3 {
				bob.emit(3, "speak", fmt.Sprint("meanwhile ", i))
			}
			bob.until(func() bool { return len(b.heard) == 5 })
			_, refused := ann.resume(ann.welcome.Token, ann.wish())
			require.Zero(t, refused)
			assert.Equal(t, uint64(2), a.told, "the last packet that had arrived")
			frames := a.frames
			ann.until(func() bool { return len(a.heard) == 5 })
			assert.Equal(t, 1, a.frames-frames, "what it missed is one frame")
			assert.Equal(t, uint64(2), a.acked)
			ann.emitAgain(0, 2, "speak", "arrives, but its echo is lost")
			ann.emit(0, "speak", "back")
			ann.until(func() bool { return len(a.heard) == 6 })
			bob.until(func() bool { return len(b.heard) == 6 })
			assert.Equal(t, b.heard, a.heard)
			all.hears(t, "dropped 1", "resumed 1")
			st := srv.Stats()
			assert.Equal(t, volley.SessionStats{Held: 2, Resumed: 1}, st.Sessions)
			assert.Equal(t, uint64(1), st.Rooms.Resumed)
			assert.Zero(t, st.Rooms.Away)
		})
	}
}

// A token works once: the one before ends when the client has sent something with the new one.
func TestTokensAreUsedOnce(t *testing.T) {
	kind, _ := newDens(room.Config{})
	srv := serve(t, volley.Config{}, kind)
	other := serve(t, volley.Config{}, func() room.AnyKind { k, _ := newDens(room.Config{}); return k }())
	ann := newGhost(t, srv, "tcp")
	ann.join(0, "")
	first := ann.welcome.Token
	ann.cut()
	refuse := func(g *ghost, token, why string) {
		t.Helper()
		before := srv.Stats()
		_, refused := g.resume(token, g.wish())
		assert.Equal(t, codec.ResumeFailed, refused, why)
		after := srv.Stats()
		assert.Equal(t, before.Sessions.Refused+1, after.Sessions.Refused, why)
		assert.Equal(t, before.Sessions.Held, after.Sessions.Held, why)
	}
	eventually(t, "away", func() bool { return srv.Stats().Sessions.Away == 1 })
	wrong := []byte(first)
	wrong[3] ^= 1
	refuse(ann, string(wrong), "a token with another number")
	wrong = []byte(first)
	wrong[20] ^= 2
	refuse(ann, string(wrong), "a token with another signature")
	refuse(ann, "", "no token")
	refuse(ann, strings.Repeat("A", codec.MaxToken), "a long one")
	refuse(ann, newGhost(t, other, "tcp").welcome.Token, "a token of another server")
	assert.Equal(t, 1, srv.Stats().Sessions.Away, "and the session still waits")

	_, refused := ann.resume(first, ann.wish())
	require.Zero(t, refused)
	second := ann.welcome.Token
	require.NotEqual(t, first, second)
	ann.cut()
	_, refused = ann.resume(first, ann.wish())
	require.Zero(t, refused, "WELCOME may have been lost: the old token still works")
	ann.cut()
	_, refused = ann.resume(first, ann.wish())
	require.Zero(t, refused, "and again")
	require.Equal(t, second, ann.welcome.Token)
	ann.emit(0, "speak", "got it")
	ann.until(func() bool { return len(ann.seat(0).heard) == 1 })
	ann.cut()
	eventually(t, "away", func() bool { return srv.Stats().Sessions.Away == 1 })
	refuse(ann, first, "the old token, after the client has spoken")
	_, refused = ann.resume(second, ann.wish())
	require.Zero(t, refused)
	ann.emit(0, "speak", "still here")
	ann.until(func() bool { return len(ann.seat(0).heard) == 2 })
	refuse(newGhost(t, srv, "tcp"), second, "a used token while its session lives")
	ann.emit(0, "speak", "untouched")
	ann.until(func() bool { return len(ann.seat(0).heard) == 3 })
}

// A token that is used while its connection lives moves the session; for the game the client was never away.
func TestTakeover(t *testing.T) {
	kind, all := newDens(room.Config{})
	srv := serve(t, volley.Config{}, kind)
	ann, bob := newGhost(t, srv, "ws"), newGhost(t, srv, "tcp")
	a := ann.join(0, "")
	bob.join(0, "")
	ann.emit(0, "speak", "one")
	ann.until(func() bool { return len(a.heard) == 1 })
	before, refused := ann.resume(ann.welcome.Token, ann.wish())
	require.Zero(t, refused)
	assert.Equal(t, codec.Replaced, before.end())
	bob.emit(0, "speak", "two")
	ann.until(func() bool { return len(a.heard) == 2 })
	all.hears(t, "join 1", "join 2")
	assert.Equal(t, volley.SessionStats{Held: 2, Resumed: 1, TakenOver: 1}, srv.Stats().Sessions)
	assert.Equal(t, uint64(1), srv.Stats().Net.Closed[codec.Replaced])
}

// Each channel that the client lists gets its answer; one that it does not list is left.
func TestWhatAResumeAnswers(t *testing.T) {
	kind, all := newDens(room.Config{})
	srv := serve(t, volley.Config{RoomsPerConn: 8}, kind)
	ann, eve := newGhost(t, srv, "tcp"), newGhost(t, srv, "tcp")
	eve.join(0, "")
	for channel := range uint32(4) {
		ann.join(channel, "")
	}
	ann.emit(0, "speak", "x")
	ann.until(func() bool { return len(ann.seat(3).heard) == 1 })
	all.told()
	ann.cut()
	eventually(t, "away", func() bool { return srv.Stats().Rooms.Away == 4 })
	_, refused := ann.resume(ann.welcome.Token, []codec.Processed{
		{Channel: 0, Tick: ann.seat(0).tick},
		{Channel: 2, Joining: true}, // it has not heard JOINED
		{Channel: 3, Tick: 0},       // it has not heard anything since
		{Channel: 5, Tick: 7},
		{Channel: 7, Joining: true},
	})
	require.Zero(t, refused)
	assert.True(t, ann.seat(0).joined)
	assert.True(t, ann.seat(2).joined)
	assert.True(t, ann.seat(3).joined)
	assert.Equal(t, codec.ResumeFailed, ann.seat(5).left)
	assert.Equal(t, codec.ResumeFailed, ann.seat(7).left)
	ann.until(func() bool { return len(ann.seat(2).heard) == 2 && len(ann.seat(3).heard) == 2 }) // once more: they had not processed it
	eventually(t, "the one that is not listed has left", func() bool { return all.clients() == 4 })
	assert.Contains(t, all.told(), "leave 3")
	again := ann.join(1, "")
	assert.True(t, again.joined, "its channel is free at once")

	ann.cut()
	_, refused = ann.resume(ann.welcome.Token, []codec.Processed{{Channel: 8}})
	assert.Equal(t, codec.BadChannel, refused)
	_, refused = ann.resume(ann.welcome.Token, ann.wish())
	assert.Zero(t, refused, "a wish that cannot be is no use of the token")
}

// What ended while the client was away, or just before, is told with its true reason.
func TestEndingsAreRemembered(t *testing.T) {
	kind, _ := newDens(room.Config{})
	srv := serve(t, volley.Config{}, kind)
	ann, eve := newGhost(t, srv, "tcp"), newGhost(t, srv, "tcp")
	ann.join(0, "")
	eve.join(0, "")
	ann.cut()
	eventually(t, "away", func() bool { return srv.Stats().Rooms.Away == 1 })
	eve.emit(0, "out", "")
	eventually(t, "out", func() bool { return srv.Stats().Rooms.Away == 0 })
	for range 2 { // the answer may be lost as well
		_, refused := ann.resume(ann.welcome.Token, []codec.Processed{{Channel: 0, Tick: 1}})
		require.Zero(t, refused)
		assert.Equal(t, codec.Kicked, ann.seat(0).left)
		ann.cut()
	}
	_, refused := ann.resume(ann.welcome.Token, nil)
	require.Zero(t, refused)
	assert.True(t, ann.join(0, "").joined)
	ann.cut()
	eventually(t, "away", func() bool { return srv.Stats().Rooms.Away == 1 })
	_, refused = ann.resume(ann.welcome.Token, ann.wish())
	require.Zero(t, refused)
	assert.True(t, ann.seat(0).joined, "the end of the membership before is forgotten")
	assert.Equal(t, codec.JoinRefused, ann.join(1, "nobody").left, "a refusal is no membership")
}

// A client that means it leaves at once.
func TestWhoSaysGoodbyeIsNotAwaited(t *testing.T) {
	closeFrame := func(g *ghost) { _, _ = g.conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9}) }
	bye := func(g *ghost) { g.send(codec.AppendClientBye(nil, codec.Normal, "done")) }
	for name, c := range map[string]struct {
		transport string
		end       func(g *ghost)
		want      codec.Code
	}{
		"BYE over TCP":               {"tcp", bye, 0},
		"BYE over WebSocket":         {"ws", bye, 0},
		"a close frame":              {"ws", closeFrame, 0},
		"a frame that is not known":  {"tcp", func(g *ghost) { g.send([]byte{0x91, 0x63}) }, codec.UnexpectedFrame},
		"a gap in the packets":       {"tcp", func(g *ghost) { g.emitAgain(0, 9, "speak", "x") }, codec.BadSequence},
		"a payload that is no text":  {"ws", func(g *ghost) { g.send([]byte("\x95\x00\x00\x01\x00\x91\x92\xa5speak\x07")) }, codec.BadPayload},
		"a close frame with a fault": {"ws", func(g *ghost) { _, _ = g.conn.Write([]byte{0x88, 0x81, 0, 0, 0, 0, 1}) }, codec.WebSocketProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			kind, all := newDens(room.Config{})
			srv := serve(t, volley.Config{}, kind)
			ann := newGhost(t, srv, c.transport)
			ann.join(0, "")
			c.end(ann)
			assert.Equal(t, c.want, ann.over())
			eventually(t, "it has left", func() bool { return all.clients() == 0 && srv.Stats().Rooms.Rooms == 0 })
			all.hears(t, "join 1", "leave 1")
			eventually(t, "its session is forgotten", func() bool { return srv.Stats().Sessions == volley.SessionStats{} })
			_, refused := ann.resume(ann.welcome.Token, ann.wish())
			assert.Equal(t, codec.ResumeFailed, refused)
		})
	}
}

// A client that we cut off for what may pass finds its seat again.
func TestWhoIsCutOffForAWhileIsAwaited(t *testing.T) {
	kind, all := newDens(room.Config{})
	srv := serve(t, volley.Config{MessagesPerSecond: 50}, kind)
	ann := newGhost(t, srv, "tcp")
	ann.join(0, "")
	for range 200 {
		ann.send(codec.AppendPing(nil, 1))
	}
	assert.Equal(t, codec.RateLimited, ann.over())
	eventually(t, "away", func() bool { return srv.Stats().Rooms.Away == 1 })
	_, refused := ann.resume(ann.welcome.Token, ann.wish())
	require.Zero(t, refused)
	assert.True(t, ann.seat(0).joined)
	all.hears(t, "join 1", "dropped 1", "resumed 1")
}

// Nobody comes back: the seat and the session end with the grace.
func TestGraceEnds(t *testing.T) {
	kind, all := newDens(room.Config{Grace: 200 * time.Millisecond})
	srv := serve(t, volley.Config{}, kind)
	ann, bob := newGhost(t, srv, "tcp"), newGhost(t, srv, "tcp")
	ann.join(0, "")
	ann.cut()
	bob.cut() // in no room
	eventually(t, "away", func() bool { return srv.Stats().Sessions.Away == 2 })
	eventually(t, "over", func() bool { return all.clients() == 0 && srv.Stats().Sessions.Held == 0 })
	eventually(t, "the room has ended", func() bool { return srv.Stats().Rooms.Rooms == 0 })
	all.hears(t, "join 1", "dropped 1", "leave 1")
	st := srv.Stats()
	assert.Equal(t, volley.SessionStats{Expired: 2}, st.Sessions)
	assert.Equal(t, uint64(1), st.Rooms.Expired)
	assert.Zero(t, st.Rooms.Away)
	for _, g := range []*ghost{ann, bob} {
		_, refused := g.resume(g.welcome.Token, g.wish())
		assert.Equal(t, codec.ResumeFailed, refused)
	}
	_, refused := ann.resume(ann.welcome.Token, ann.wish())
	assert.Equal(t, codec.ResumeFailed, refused)
	assert.Equal(t, uint64(3), srv.Stats().Sessions.Refused)
}

// A kind without grace has no part in any of it.
func TestNoGrace(t *testing.T) {
	kind, all := newDens(room.Config{Grace: -1})
	srv := serve(t, volley.Config{}, kind)
	ann := newGhost(t, srv, "tcp")
	assert.Empty(t, ann.welcome.Token)
	assert.NotEmpty(t, ann.welcome.Session)
	ann.join(0, "")
	ann.cut()
	eventually(t, "it has left", func() bool { return all.clients() == 0 })
	all.hears(t, "join 1", "leave 1")
	assert.Equal(t, volley.SessionStats{}, srv.Stats().Sessions)
	_, refused := ann.resume(newGhost(t, serve(t, volley.Config{}, room.Define("k", newSilent, room.Config{})), "tcp").welcome.Token, nil)
	assert.Equal(t, codec.ResumeFailed, refused)
}

type silentGame struct{}

func newSilent(*room.Room) silentGame      { return silentGame{} }
func (silentGame) Join(*room.Client) error { return nil }
func (silentGame) Leave(*room.Client)      {}

// Beyond Config.MaxAway a lost connection is a leave.
func TestMaxAway(t *testing.T) {
	kind, all := newDens(room.Config{})
	srv := serve(t, volley.Config{MaxAway: 2}, kind)
	var ghosts []*ghost
	for range 3 {
		g := newGhost(t, srv, "tcp")
		g.join(0, "")
		ghosts = append(ghosts, g)
	}
	for i, g := range ghosts {
		g.cut()
		eventually(t, "noticed", func() bool { return srv.Stats().Net.Lost == uint64(i+1) })
		eventually(t, "done", func() bool { st := srv.Stats().Sessions; return st.Away+int(st.Crowded) == i+1 })
	}
	eventually(t, "one has left", func() bool { return all.clients() == 2 })
	assert.Equal(t, volley.SessionStats{Held: 2, Away: 2, Crowded: 1}, srv.Stats().Sessions)
	_, refused := ghosts[2].resume(ghosts[2].welcome.Token, nil)
	assert.Equal(t, codec.ResumeFailed, refused)
	_, refused = ghosts[1].resume(ghosts[1].welcome.Token, ghosts[1].wish())
	assert.Zero(t, refused)
}
