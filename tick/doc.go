// Package tick is time: the arithmetic of fixed steps, and the scheduler that
// drives many steppers (rooms) with few goroutines.
//
// A [Stepper] is added to a [Scheduler] with a rate and a [Policy]. With a rate
// of 1 to 240 it is stepped on a grid of absolute deadlines, which never
// drifts. With rate 0 it is event-driven: it is stepped as soon as somebody
// calls [Task.Wake].
//
// # Who owns what
//
// A scheduler has shards, one per worker; a task belongs to one shard for life.
// A shard keeps its fixed-rate tasks on a wheel of 1 ms slots and its woken
// event-driven tasks in a queue. Only one goroutine drives a shard at a time,
// and only one runs a given task at a time:
//
//   - the shard's worker, a goroutine that sleeps until the next deadline;
//   - any goroutine that calls [Scheduler.RunDue], such as a poller between two
//     waits: it runs the ticks that are due and leaves the queue to the worker;
//   - for an event-driven task, the goroutine that calls Wake(true).
//
// A task never runs before its deadline. By design it runs at most one slot
// (1 ms) after it; what the machine adds is measured in [Metrics].
//
// A Step that runs longer than Config.BlockAfter is named in the log, and
// another goroutine takes its shard over: until then, up to one and a half
// times BlockAfter, the shard's other tasks wait. From then on the task's Steps
// have goroutines of their own and hold up nobody, until enough of them in a
// row were short. Task.Detach says so beforehand.
//
// # Time is an argument
//
// The arithmetic (files grid.go, policy.go, wheel.go) never asks for the time.
// With Config.Manual the scheduler starts no goroutine and has no clock of its
// own: its time is what RunDue is told, so a test or a replay runs a day of
// ticks in a moment and in the same order on every machine.
package tick
