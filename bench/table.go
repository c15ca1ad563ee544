//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// printTable prints the result for people.
func (r *result) printTable(w io.Writer) {
	t := newTable(w, r.server+": "+r.workload)
	for _, f := range r.figures {
		if f.label != "" {
			t.AppendRow(table.Row{f.label, show(f.value), f.unit})
		}
	}
	if t.Length() > 0 {
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, Align: text.AlignRight}})
		t.Render()
	}
	for _, g := range r.tables() {
		t := newTable(w, g.Title)
		configs := []table.ColumnConfig{}
		for i := range g.Head {
			if i > 0 {
				configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
			}
		}
		t.SetColumnConfigs(configs)
		t.AppendHeader(cells(g.Head))
		for _, row := range g.Rows {
			t.AppendRow(cells(row))
		}
		t.Render()
	}
	for _, n := range r.notes {
		_, _ = fmt.Fprintln(w, "  "+n)
	}
}

// grid is a table of rows of one workload.
type grid struct {
	Title string
	Head  []string
	Rows  [][]string
}

// tables are those of the rows, one for each workload, whose columns are the figures with a label. Where there are more figures
// than rows, they stand below each other.
func (r *result) tables() (out []grid) {
	for _, workload := range r.workloads() {
		var rows []*result
		var columns []figure
		for _, row := range r.rows {
			if row.workload != workload {
				continue
			}
			rows = append(rows, row)
			for _, f := range row.figures {
				if f.label != "" && !slices.ContainsFunc(columns, func(c figure) bool { return c.key == f.key }) {
					columns = append(columns, f)
				}
			}
		}
		if len(columns) > len(rows) && len(rows) < 8 {
			out = append(out, upright(workload, rows, columns))
		} else {
			out = append(out, lying(workload, rows, columns))
		}
	}
	return out
}

// lying has a line for each row.
func lying(title string, rows []*result, columns []figure) grid {
	g := grid{Title: title, Head: []string{""}}
	for _, c := range columns {
		g.Head = append(g.Head, c.name())
	}
	for _, row := range rows {
		line := []string{row.name()}
		for _, c := range columns {
			line = append(line, show(row.get(c.key)))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}

// upright has a line for each figure.
func upright(title string, rows []*result, columns []figure) grid {
	g := grid{Title: title, Head: []string{""}}
	for _, row := range rows {
		g.Head = append(g.Head, row.name())
	}
	for _, c := range columns {
		line := []string{c.name()}
		for _, row := range rows {
			line = append(line, show(row.get(c.key)))
		}
		g.Rows = append(g.Rows, line)
	}
	return g
}

// name is the label with its unit.
func (f figure) name() string {
	if f.unit == "" {
		return f.label
	}
	return f.label + ", " + f.unit
}

// workloads are those of the rows, in order.
func (r *result) workloads() (out []string) {
	for _, row := range r.rows {
		if !slices.Contains(out, row.workload) {
			out = append(out, row.workload)
		}
	}
	return out
}

func (r *result) get(key string) any {
	for _, f := range r.figures {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

func newTable(w io.Writer, title string) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetTitle(title)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	return t
}

func cells(line []string) table.Row {
	out := make(table.Row, len(line))
	for i, s := range line {
		out[i] = s
	}
	return out
}

// show prints a value with the digits that mean something.
func show(v any) string {
	f, ok := v.(float64)
	switch {
	case v == nil:
		return "–"
	case !ok:
		return fmt.Sprint(v)
	case f == math.Trunc(f) && math.Abs(f) < 1e15, math.Abs(f) >= 1000:
		return fmt.Sprintf("%.0f", f)
	case math.Abs(f) >= 10:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.3f", f)
	}
}
