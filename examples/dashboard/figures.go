package main

import (
	"math"
	"time"
)

// Figures are what a Sampler says of the time since its Sample before, and of this moment. What cannot be told is NaN.
type Figures struct {
	At time.Time

	Connections float64 // of the server's own clients
	SocketIO    float64 // of Socket.IO clients
	Rooms       float64
	Players     float64 // seats that are taken in rooms

	Late50, Late99 float64 // how late ticks began, in ms
	Ran            float64 // how much of the ticks were run and not skipped, in %

	FramesIn, FramesOut float64 // a second
	BytesIn, BytesOut   float64 // a second
	Waiting             float64 // bytes that no socket has taken yet, or that are the beginning of a frame

	Heap, RSS  float64 // MB
	Goroutines float64
	Pause      float64 // the longest of the garbage collector's, in ms; 0: there was none
	CPU        float64 // of all cores that the program may use, in %
}

// figure is one of Figures as pages know it.
type figure struct {
	name     string
	decimals int // so many are told: what changes beyond them is no news
	of       func(f *Figures) float64
}

var figures = []figure{
	{"conns", 0, func(f *Figures) float64 { return f.Connections }},
	{"sio", 0, func(f *Figures) float64 { return f.SocketIO }},
	{"rooms", 0, func(f *Figures) float64 { return f.Rooms }},
	{"players", 0, func(f *Figures) float64 { return f.Players }},
	{"late50", 2, func(f *Figures) float64 { return f.Late50 }},
	{"late99", 2, func(f *Figures) float64 { return f.Late99 }},
	{"ran", 1, func(f *Figures) float64 { return f.Ran }},
	{"framesIn", 0, func(f *Figures) float64 { return f.FramesIn }},
	{"framesOut", 0, func(f *Figures) float64 { return f.FramesOut }},
	{"bytesIn", 0, func(f *Figures) float64 { return f.BytesIn }},
	{"bytesOut", 0, func(f *Figures) float64 { return f.BytesOut }},
	{"waiting", 0, func(f *Figures) float64 { return f.Waiting }},
	{"heap", 1, func(f *Figures) float64 { return f.Heap }},
	{"rss", 1, func(f *Figures) float64 { return f.RSS }},
	{"goroutines", 0, func(f *Figures) float64 { return f.Goroutines }},
	{"pause", 2, func(f *Figures) float64 { return f.Pause }},
	{"cpu", 1, func(f *Figures) float64 { return f.CPU }},
}

// told is the value as pages are told it; nil: it is not known.
func (g *figure) told(f *Figures) *float64 {
	scale := math.Pow10(g.decimals)
	v := math.Round(g.of(f)*scale) / scale
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
