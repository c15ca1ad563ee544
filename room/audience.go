package room

// Audience is whom [Emit] reaches: a *Client (self), a *Room (everyone in it), Client.Others, Room.Only, Room.Except, a *Kind
// (every room of it) or a *Host (every room of the server). It cannot be implemented elsewhere.
type Audience interface{ audience() audience }

// audience is an Audience in full.
type audience struct {
	room  *Room // nil for a kind or a host
	kinds []*kind
	scope scope
	who   uint32
	set   []*Client
	one   *Client
}

func (c *Client) audience() audience {
	return audience{room: c.room, scope: toOne, who: c.id, one: c}
}

func (r *Room) audience() audience { return audience{room: r, scope: toAll} }

func (k *Kind[G]) audience() audience { return audience{kinds: []*kind{k.k}} }

func (h *Host) audience() audience { return audience{kinds: h.kinds} }

// Others is a room without one client. See Client.Others.
type Others struct{ c *Client }

func (o Others) audience() audience {
	return audience{room: o.c.room, scope: toOthers, who: o.c.id}
}

// Set is some clients of a room, or all but some. See Room.Only and Room.Except.
type Set struct {
	room    *Room
	clients []*Client
	scope   scope
}

func (s *Set) audience() audience {
	return audience{room: s.room, scope: s.scope, set: s.clients}
}

// Only is the audience of these clients, as far as they are in the room.
func (r *Room) Only(clients ...*Client) *Set { return &Set{room: r, clients: clients, scope: toSet} }

// Except is the audience of everyone in the room but these.
func (r *Room) Except(clients ...*Client) *Set {
	return &Set{room: r, clients: clients, scope: toRest}
}
