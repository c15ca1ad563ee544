//go:build !linux

package main

import "math"

func rss() float64 { return math.NaN() }
func cpu() float64 { return math.NaN() }
