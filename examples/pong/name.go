package main

import "strings"

// longestName is in runes.
const longestName = 12

// cleanName makes what a client calls itself fit for a scoreboard.
func cleanName(s string) string {
	runes := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " "))
	s = strings.TrimSpace(string(runes[:min(len(runes), longestName)]))
	if s == "" {
		return "Guest"
	}
	return s
}
