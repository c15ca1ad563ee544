//go:build linux

package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Parse(reportPage))

// writeReport writes a page that needs nothing but itself.
func writeReport(path string, r *result) error {
	m := machine()
	page := map[string]any{
		"Title": r.server + ": " + r.workload,
		"Machine": fmt.Sprintf("%v cores (%v), %v GiB, Linux %v, %v",
			m["cpus"], cmp.Or(m["cpu"], any("unknown")), m["memory_gib"], m["kernel"], m["go"]),
		"Notes":   r.notes,
		"Command": strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " "),
		"When":    time.Now().Format("2006-01-02 15:04 MST"),
	}
	var figures []map[string]string
	for _, f := range r.figures {
		if f.label != "" {
			figures = append(figures, map[string]string{"Label": f.label, "Value": show(f.value), "Unit": f.unit})
		}
	}
	page["Figures"] = figures
	page["Tables"] = r.tables()
	var charts []map[string]any
	for _, c := range r.charts {
		svg, err := c.svg()
		if err != nil {
			return err
		}
		if svg != "" {
			charts = append(charts, map[string]any{"Title": c.title, "SVG": svg})
		}
	}
	page["Charts"] = charts
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = reportTemplate.Execute(f, page)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
