//go:build linux

package main

import "strings"

// plug is a server that the bench can measure. Its process gets a serverSpec as its first line of standard input and answers
// with a reply that has Addr. Then it takes commands, and ends when its standard input does:
//
//   - mark: answer with a serverReport, of which a server that is not Volley fills in what it knows (lateness of ticks since
//     the last mark with reset, steps, skipped). CPU time and memory are measured from outside.
//   - allocs: answer with a serverReport of which allocs is filled in, if it is known.
//   - settle: give garbage back to the system, if there is such a thing, and answer as for mark.
//   - broadcast: of the workload fanout; send volleys of burst messages, at most window of them ahead of what the slowest
//     speaking listener has seen. Burst 0 ends it.
type plug interface {
	name() string
	launch() (launch, error)
	dialect() string
}

// volleyPlug is Volley.
type volleyPlug struct{}

func (volleyPlug) name() string            { return "Volley" }
func (volleyPlug) launch() (launch, error) { return ourselves("server") }
func (volleyPlug) dialect() string         { return dialectVolley }

// sioPlug is Volley with package socketio, for clients of Socket.IO: the same games, in place of the namespace "/".
type sioPlug struct{ called, speaks string }

func (p sioPlug) name() string          { return p.called }
func (sioPlug) launch() (launch, error) { return ourselves("server") }
func (p sioPlug) dialect() string       { return p.speaks }

// sioPlugs are one for each parser.
func sioPlugs() []plug {
	return []plug{sioPlug{"volley-sio", dialectSocketIO}, sioPlug{"volley-sio-msgpack", dialectSocketIOPack}}
}

// answersTo reports whether a server is meant by a name: its own, or one that is easier to type.
func answersTo(p plug, name string) bool {
	short, ok := p.(interface{ short() string })
	return strings.EqualFold(p.name(), name) || ok && strings.EqualFold(short.short(), name)
}

func nameOf(p plug) string {
	if p == nil {
		p = volleyPlug{}
	}
	return p.name()
}
