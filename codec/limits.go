package codec

// Limits bound what one frame may ask of its reader. Zero fields take the value of ClientLimits.
type Limits struct {
	Frame    int // bytes in a frame; the transport enforces it
	Packets  int // packets in a VOLLEY
	Depth    int // nesting of arrays and maps, the frame's own array included; at most MaxDepth
	Elements int // values in a frame, containers and map keys included
}

// MaxDepth is the deepest nesting that a Reader can follow.
const MaxDepth = 64

// ClientLimits are the default limits of what a server accepts from a client.
var ClientLimits = Limits{Frame: 64 << 10, Packets: 256, Depth: 16, Elements: 4096}

// ServerLimits are the limits of what a client accepts from its server.
var ServerLimits = Limits{Frame: 16 << 20, Packets: 1 << 20, Depth: MaxDepth, Elements: 4 << 20}

// WithDefaults returns l with zero fields replaced by those of ClientLimits, and Depth capped at MaxDepth.
func (l Limits) WithDefaults() Limits {
	if l.Frame <= 0 {
		l.Frame = ClientLimits.Frame
	}
	if l.Packets <= 0 {
		l.Packets = ClientLimits.Packets
	}
	if l.Depth <= 0 {
		l.Depth = ClientLimits.Depth
	}
	if l.Elements <= 0 {
		l.Elements = ClientLimits.Elements
	}
	l.Depth = min(l.Depth, MaxDepth)
	return l
}
