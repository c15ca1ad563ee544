//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
)

// result is what a workload found.
type result struct {
	workload string
	server   string
	figures  []figure
	label    string    // what tells it from other rows, if that is not the server
	rows     []*result // parts: of compare one of each server and workload, of findMax one of each size
	partsKey string    // the key of rows in JSON; empty: "rows"
	notes    []string
	charts   []chart
}

// figure is one number, or for machines a list of them.
type figure struct {
	key   string // in JSON
	label string // for people; empty: not shown to them
	unit  string
	value any // float64, int, bool, string or a part of the object
}

func newResult(workload string, server string) *result {
	return &result{workload: workload, server: server}
}

// add appends a figure.
func (r *result) add(key, label, unit string, value any) {
	r.figures = append(r.figures, figure{key, label, unit, value})
}

// name is what the result is called among others.
func (r *result) name() string { return cmp.Or(r.label, r.server) }

// number is the figure called key; false if there is none.
func (r *result) number(key string) (float64, bool) {
	for _, f := range r.figures {
		if f.key != key {
			continue
		}
		switch v := f.value.(type) {
		case float64:
			return v, true
		case int:
			return float64(v), true
		}
	}
	return 0, false
}

// object is the result as JSON shows it.
func (r *result) object() map[string]any {
	o := map[string]any{"workload": r.workload, "server": r.server}
	for _, f := range r.figures {
		o[f.key] = f.value
	}
	if r.rows != nil {
		rows := make([]map[string]any, len(r.rows))
		for i, row := range r.rows {
			rows[i] = row.object()
		}
		o[cmp.Or(r.partsKey, "rows")] = rows
	}
	if len(r.notes) > 0 {
		o["notes"] = r.notes
	}
	return o
}

// printJSON prints one JSON object.
func (r *result) printJSON(w io.Writer) error {
	o := r.object()
	o["machine"] = machine()
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", b)
	return err
}

// addServer appends what a window says about the servers, if they are known.
func (r *result) addServer(w *window) {
	if !w.known {
		return
	}
	r.add("cores", "server CPU", "cores", w.cores())
	r.add("gcs", "garbage collections", "", int(w.server.GCs))
	if w.server.Slow > 0 {
		r.add("slow_consumers", "clients closed as too slow", "", int(w.server.Slow))
	}
	if w.server.Failed > 0 {
		r.add("rooms_failed", "rooms that failed", "", int(w.server.Failed))
	}
}

// addLoad appends what a window says about the load.
func (r *result) addLoad(w *window) {
	busy := w.loadBusy()
	r.add("load_cores", "busiest load process", "cores", busy)
	if w.late.count() > 0 {
		r.add("load_late_p99_us", "sends began late, p99", "µs", w.late.us(99))
	}
	if busy > 0.9 {
		r.notes = append(r.notes, fmt.Sprintf("the load generator used %.0f %% of its core: it may be what was measured", busy*100))
	}
	if late := w.late.us(99) / 1e3; late > 10 {
		r.notes = append(r.notes, fmt.Sprintf("1 %% of sends began %.0f ms late or more: something else used the load generator's core",
			late))
	}
	for why, n := range w.sum.Closed {
		r.notes = append(r.notes, fmt.Sprintf("%d connections ended: %s", n, why))
	}
}
