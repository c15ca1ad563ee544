package main

import "maps"

// memory is a while of samples: a whole picture, and the changes since.
type memory struct {
	span    int64 // ms
	changes []Change
}

// add adds the newest change. What is too old becomes part of the picture.
func (m *memory) add(c Change) {
	c.Values = maps.Clone(c.Values) // they are changed here
	m.changes = append(m.changes, c)
	old := 0
	for old+1 < len(m.changes) && m.changes[old+1].At <= c.At-m.span {
		picture := m.changes[old].Values
		maps.Copy(picture, m.changes[old+1].Values)
		m.changes[old+1].Values = picture
		old++
	}
	m.changes = append(m.changes[:0], m.changes[old:]...)
}
