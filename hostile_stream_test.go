package volley_test

import (
	"bytes"
	"io"
	"net"
	"syscall"

	"github.com/volley-go/volley/codec"
)

// streamAttacks are bytes that are no frames of TCP.
func streamAttacks() (list []attack) {
	ping := codec.AppendPing(nil, 7)
	for _, bad := range []struct {
		name  string
		bytes []byte
		want  codec.Code
	}{
		{"length 0", unhex("00000000"), codec.Malformed},
		{"length 2^32-1", unhex("ffffffff"), codec.TooBig},
		{"length 2^31", unhex("80000000 91"), codec.TooBig},
		{"a byte more than the limit", unhex("00010001"), codec.TooBig},
		{"an upgrade of HTTP", []byte(upgradeRequest), codec.TooBig},
		{"a handshake of TLS", unhex("16 0301 0200 01 0001fc 0303"), codec.TooBig},
		{"a little-endian length", append(unhex("03000000"), ping...), codec.TooBig},
		{"a length that counts itself", append(unhex("00000006"), bytes.Repeat(append(unhex("80"), ping...), 3)...), codec.Malformed},
	} {
		for _, state := range []string{"new", "pen"} {
			list = append(list, attack{name: bad.name + ", " + state, state: state, do: write(bad.bytes), want: bad.want})
		}
	}
	return append(list, endings()...)
}

// endings are ways in which a peer goes that no honest client chooses.
func endings() []attack {
	half := func(p *raw) []byte {
		frame := p.framed(inEvent("line", append(unhex("da 0400"), bytes.Repeat([]byte("x"), 1<<10)...)))
		return frame[:len(frame)/2]
	}
	finish := func(p *raw) {
		if c, ok := p.conn.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		}
	}
	return []attack{
		{name: "a reset in the middle of a frame", state: "pen", want: cut, do: func(p *raw) {
			p.write(half(p))
			p.reset()
		}},
		{name: "a reset in the middle of HELLO", state: "new", want: cut, do: func(p *raw) {
			p.write(half(p))
			p.reset()
		}},
		{name: "a reset behind JOIN", state: "open", want: cut, do: func(p *raw) {
			p.send(codec.AppendJoin(nil, 0, codec.JoinOrCreate, "pen", nil))
			p.reset()
		}},
		{name: "a reset with a room's answer under way", state: "hall", want: cut, do: func(p *raw) {
			p.send(volleyOf(1, 0, request("bulk", unhex("cd 1000"), 1)))
			p.reset()
		}},
		{name: "a FIN in the middle of a frame", state: "pen", want: cut, do: func(p *raw) {
			p.write(half(p))
			finish(p)
		}},
		{name: "a FIN behind a frame", state: "pen", want: cut, do: func(p *raw) {
			p.send(inEvent("line", unhex("a1 61")))
			finish(p)
		}},
		{name: "a FIN before anything", state: "bare", want: cut, do: finish},
		{name: "a reset before anything", state: "bare", want: cut, do: func(p *raw) { p.reset() }},
		{name: "urgent data", state: "pen", want: survives, do: func(p *raw) { urgent(p.conn) }},
	}
}

// request is a packet that asks for a reply.
func request(name string, payload []byte, id uint64) []byte {
	b := append(codec.AppendArray(nil, 3), codec.AppendStr(nil, name)...)
	return codec.AppendUint(append(b, payload...), id)
}

// urgent sends a byte of urgent data.
func urgent(nc net.Conn) {
	if c, ok := nc.(*net.TCPConn); ok {
		if s, err := c.SyscallConn(); err == nil {
			_ = s.Control(func(fd uintptr) { _ = syscall.Sendto(int(fd), []byte{1}, syscall.MSG_OOB, nil) })
		}
	}
}

// tlsAttacks are bytes that are no TLS, or that go wrong in it.
func tlsAttacks() (list []attack) {
	hello := func(length int) []byte { // of TLS, that says so and is not
		b := append(unhex("16 0301"), byte(length>>8), byte(length), 1, 0, byte((length-4)>>8), byte(length-4), 3, 3)
		return append(b, make([]byte, max(length-len(b), 0))...)
	}
	for _, bad := range []struct {
		name  string
		bytes []byte
	}{
		{"plain HTTP", []byte(upgradeRequest)},
		{"a plain frame", append(unhex("00000004"), codec.AppendHello(nil, nil)...)},
		{"SSL 2", unhex("80 2e 01 0002 0015 0000 0010 010080")},
		{"a record of 64 KiB", append(unhex("16 0301 ffff"), make([]byte, 1<<16)...)},
		{"a record of no bytes, often", bytes.Repeat(unhex("16 0303 0000"), 100)},
		{"a hello of noise", hello(600)},
		{"a hello in many records", bytes.Repeat(unhex("16 0301 0001 01"), 300)},
		{"a handshake of 16 MiB", append(unhex("16 0301 4000 01 ffffff"), make([]byte, 1<<14)...)},
		{"an alert", unhex("15 0303 0002 0228")},
		{"data before the handshake", unhex("17 0303 0010 00000000000000000000000000000000")},
		{"a heartbeat", unhex("18 0302 0003 01 4000")},
	} {
		do := func(p *raw) {
			p.bare()
			p.write(bad.bytes)
			_ = p.conn.(*net.TCPConn).CloseWrite()
			p.drain()
		}
		list = append(list, attack{name: bad.name, state: "bare", do: do, want: cut})
	}
	list = append(list, attack{name: "garbage behind the handshake", state: "pen", want: cut, do: func(p *raw) {
		p.bare()
		p.write(append(unhex("17 0303 0100"), make([]byte, 256)...))
		p.drain()
	}}, attack{name: "a record of 64 KiB behind the handshake", state: "pen", want: cut, do: func(p *raw) {
		p.bare()
		p.write(append(unhex("17 0303 ffff"), make([]byte, 1<<16)...))
		p.drain()
	}}, attack{name: "a close of TLS without one of ours", state: "pen", want: cut, do: func(p *raw) {
		_ = p.conn.(interface{ CloseWrite() error }).CloseWrite()
	}}, attack{name: "a hello byte by byte, that stops", state: "bare", want: cut, do: func(p *raw) {
		p.bare()
		for _, b := range hello(600)[:50] {
			p.write([]byte{b})
		}
		p.reset()
	}})
	return append(list, endings()[:6]...)
}

// bare takes the TLS off a connection.
func (r *raw) bare() {
	if c, ok := r.conn.(interface{ NetConn() net.Conn }); ok {
		r.conn = c.NetConn()
		r.in.Reset(r.conn)
	}
}

// drain reads whatever comes, up to the end.
func (r *raw) drain() { _, _ = io.Copy(io.Discard, r.in) }
