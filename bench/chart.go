//go:build linux

package main

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"

	gochart "github.com/wcharczuk/go-chart/v2"
	"github.com/wcharczuk/go-chart/v2/drawing"
)

// chart is one picture of a report: lines over a common axis, or bars.
type chart struct {
	title string
	xName string
	yName string
	ticks []gochart.Tick // of x; nil: chosen
	lines []line
	bars  []gochart.Value // instead of lines
}

// line is a series of a chart.
type line struct {
	name string
	x, y []float64
}

const chartWidth, chartHeight = 820, 320

// colours are those of the lines, in order.
var colours = []drawing.Color{
	drawing.ColorFromHex("2f6fde"), drawing.ColorFromHex("e0722f"), drawing.ColorFromHex("2c9c69"), drawing.ColorFromHex("9a55c8"),
}

// percentileChart draws a distribution: percentiles, every nine twice as far as the one before, over durations.
func percentileChart(title string, points []percentile) chart {
	c := chart{title: title, xName: "percentile", yName: "ms"}
	l := line{name: title}
	for _, p := range points {
		x := nines(p.P)
		l.x, l.y = append(l.x, x), append(l.y, p.Us/1e3)
		if p.P == 0 || p.P == 50 || p.P >= 90 && p.P != 95 && p.P != 99.5 {
			label := "p" + strconv.FormatFloat(p.P, 'g', -1, 64)
			if p.P == 100 {
				label = "max"
			}
			c.ticks = append(c.ticks, gochart.Tick{Value: x, Label: label})
		}
	}
	if len(points) > 0 {
		c.lines = []line{l}
	}
	return c
}

// nines places a percentile: 0 at 0, 90 at 1, 99 at 2, and the maximum at 5.
func nines(p float64) float64 { return min(5, -math.Log10(1-p/100)) }

// rateChart draws what happened each second.
func rateChart(title string, samples []sample) chart {
	l := line{name: title}
	for _, s := range samples {
		l.x, l.y = append(l.x, s.at.Seconds()), append(l.y, s.frames)
	}
	return seconds(title, "1/s", l)
}

func liveChart(title string, samples []sample) chart {
	l := line{name: title}
	for _, s := range samples {
		l.x, l.y = append(l.x, s.at.Seconds()), append(l.y, float64(s.live))
	}
	return seconds(title, "", l)
}

func seconds(title, unit string, l line) chart {
	c := chart{title: title, xName: "seconds", yName: unit}
	if len(l.x) > 1 {
		c.lines = []line{l}
	}
	return c
}

// findMaxCharts draws lateness, latency and delivery over the number of clients.
func findMaxCharts(rows []*result, c *roomsCmd) []chart {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b *result) int {
		x, _ := a.number("clients")
		y, _ := b.number("clients")
		return int(x - y)
	})
	late, e2e, share, limit := line{name: "tick lateness p99"}, line{name: "input to state p99"}, line{name: "delivered"},
		line{name: "limit of lateness"}
	for _, r := range rows {
		n, _ := r.number("clients")
		for _, s := range []struct {
			l     *line
			key   string
			scale float64
		}{{&late, "lateness_p99_us", 1e-3}, {&e2e, "e2e_p99_us", 1e-3}, {&share, "delivered_share", 100}} {
			if v, ok := r.number(s.key); ok {
				s.l.x, s.l.y = append(s.l.x, n), append(s.l.y, v*s.scale)
			}
		}
		limit.x, limit.y = append(limit.x, n), append(limit.y, c.Late.Seconds()*1e3)
	}
	if len(rows) < 2 {
		return nil
	}
	return []chart{
		{title: "Lateness and latency over clients", xName: "clients", yName: "ms", lines: []line{late, e2e, limit}},
		{title: "Delivered frames over clients", xName: "clients", yName: "%", lines: []line{share}},
	}
}

// svg draws the chart; nothing if there is nothing to draw.
func (c chart) svg() (template.HTML, error) {
	var b bytes.Buffer
	var err error
	switch {
	case len(c.bars) > 0:
		err = c.barChart().Render(gochart.SVG, &b)
	case len(c.lines) > 0 && len(c.lines[0].x) > 1:
		err = c.lineChart().Render(gochart.SVG, &b)
	default:
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("chart %q: %w", c.title, err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // our own drawing of numbers
}

func (c chart) lineChart() *gochart.Chart {
	g := &gochart.Chart{
		Width: chartWidth, Height: chartHeight,
		Background: gochart.Style{Padding: gochart.Box{Top: 20, Left: 20, Right: 20, Bottom: 10}},
		XAxis:      gochart.XAxis{Name: c.xName, Ticks: c.ticks, ValueFormatter: short},
		YAxis:      c.yAxis(c.top()),
	}
	for i, l := range c.lines {
		colour := colours[i%len(colours)]
		g.Series = append(g.Series, gochart.ContinuousSeries{
			Name: l.name, XValues: l.x, YValues: l.y,
			Style: gochart.Style{StrokeColor: colour, StrokeWidth: 2, DotColor: colour, DotWidth: 3},
		})
	}
	if len(c.lines) > 1 {
		g.Elements = []gochart.Renderable{gochart.LegendThin(g)}
	}
	return g
}

// top is the highest value of the lines.
func (c chart) top() (top float64) {
	for _, l := range c.lines {
		for _, y := range l.y {
			top = max(top, y)
		}
	}
	return top
}

// yAxis begins at nothing, so that what is twice as high is twice as much, and is marked at round numbers.
func (c chart) yAxis(top float64) gochart.YAxis {
	if top <= 0 {
		top = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, f := range []float64{1, 2, 5, 10} {
		if f*step >= top/5 {
			step *= f
			break
		}
	}
	a := gochart.YAxis{Name: c.yName, ValueFormatter: short}
	n := int(math.Ceil(top / step))
	for i := range n + 1 {
		v := float64(i) * step
		a.Ticks = append(a.Ticks, gochart.Tick{Value: v, Label: short(v)})
	}
	a.Range = &gochart.ContinuousRange{Min: 0, Max: float64(n) * step}
	return a
}

func (c chart) barChart() *gochart.BarChart {
	top := 0.0
	for i := range c.bars {
		top = max(top, c.bars[i].Value)
		c.bars[i].Style = gochart.Style{FillColor: colours[0], StrokeColor: colours[0]}
	}
	return &gochart.BarChart{
		Width: max(chartWidth, 90*len(c.bars)), Height: chartHeight, BarWidth: 40,
		Background: gochart.Style{Padding: gochart.Box{Top: 20, Left: 20, Right: 20, Bottom: 20}},
		YAxis:      c.yAxis(top),
		Bars:       c.bars,
	}
}

// short is how axes write numbers.
func short(v any) string {
	f, ok := v.(float64)
	if !ok {
		return ""
	}
	switch a := math.Abs(f); {
	case a >= 1e6:
		return strconv.FormatFloat(f/1e6, 'g', 3, 64) + "M"
	case a >= 1e4:
		return strconv.FormatFloat(f/1e3, 'g', 3, 64) + "k"
	case a >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}
