package tick

// list is an intrusive doubly linked list of tasks, first in first out. A task
// is in at most one list; Task.in says which. The zero value is empty. It is
// guarded by the shard's mutex, as the links in the tasks are.
type list struct {
	head, tail *Task
	len        int
}

func (l *list) push(t *Task) {
	t.in, t.prev, t.next = l, l.tail, nil
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.next = t
	}
	l.tail = t
	l.len++
}

func (l *list) remove(t *Task) {
	if t.prev == nil {
		l.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.in, t.prev, t.next = nil, nil, nil
	l.len--
}

func (l *list) pop() *Task {
	t := l.head
	if t != nil {
		l.remove(t)
	}
	return t
}
