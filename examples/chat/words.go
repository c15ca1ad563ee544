package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// cleanName makes what somebody wants to be called a name: one line of visible characters.
func cleanName(s string) (string, error) {
	s = strings.Join(strings.Fields(strings.Map(visible, s)), " ")
	switch n := len([]rune(s)); {
	case n == 0:
		return "", errors.New("choose a name first")
	case n > longestName:
		return "", fmt.Errorf("a name has at most %d letters", longestName)
	}
	return s, nil
}

// cleanText makes what somebody wants to say a text: no more than one empty line at a time, and nothing invisible.
func cleanText(s string) (string, error) {
	s = strings.Map(visible, strings.ReplaceAll(s, "\r\n", "\n"))
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRightFunc(line, unicode.IsSpace)
	}
	s = strings.TrimSpace(strings.Join(lines, "\n"))
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	switch n := len([]rune(s)); {
	case n == 0:
		return "", errors.New("there is nothing in it")
	case n > longestText:
		return "", fmt.Errorf("a message has at most %d characters; this one has %d", longestText, n)
	}
	return s, nil
}

// visible drops what is not seen, or turns what follows it around. The joiner within emoji stays, spaces become plain ones.
func visible(r rune) rune {
	const joiner, blanks = '\u200d', "\u115f\u1160\u2800\u3164\uffa0"
	switch {
	case strings.ContainsRune(blanks, r):
		return ' '
	case r == '\n' || r == joiner || unicode.IsGraphic(r) && !unicode.IsSpace(r):
		return r
	case unicode.IsSpace(r):
		return ' '
	}
	return -1
}

// free returns the clean name if nobody but m has it, or one that looks the same but for its case.
func (g *chat) free(name string, m *member) (string, error) {
	name, err := cleanName(name)
	if err != nil {
		return "", err
	}
	for _, other := range g.members {
		if other != m && strings.EqualFold(other.Name, name) {
			return "", fmt.Errorf("%s is here already; choose another name", other.Name)
		}
	}
	return name, nil
}

// via is what clients may say of themselves.
func via(s string) string {
	if s == "volley" || s == "socket.io" {
		return s
	}
	return ""
}
