package codec

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestCodesAreThoseOfTheProtocol compares the table with docs/protocol.md, both ways.
func TestCodesAreThoseOfTheProtocol(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d{4}) \| ([a-z0-9-]+) \| ([A-Za-z ,]+) \| .* \| (no|later|new|–) \|$`).FindAllSubmatch(page, -1)
	rule := map[string]Reconnect{"no": Never, "later": Later, "new": Anew, "–": Never}
	listed := map[Code]bool{}
	for _, row := range rows {
		var c Code
		fmt.Sscan(string(row[1]), &c)
		listed[c] = true
		if c.String() != string(row[2]) || c.Reconnect() != rule[string(row[4])] {
			t.Errorf("%d is %q with rule %d here and %q, %q on the page", c, c, c.Reconnect(), row[2], row[4])
		}
	}
	for c := range codes {
		if !listed[c] {
			t.Errorf("%d (%s) is not on the page", c, c)
		}
	}
	if len(listed) != len(codes) {
		t.Errorf("%d codes on the page, %d here", len(listed), len(codes))
	}
}

func TestUnknownCodes(t *testing.T) {
	for c, want := range map[Code]Reconnect{0: Later, 1006: Later, 3000: Later, 4010: Never, 4099: Never, 4500: Later} {
		if c.Reconnect() != want || c.String() != fmt.Sprintf("code %d", c) {
			t.Errorf("%d: %s, rule %d", c, c, c.Reconnect())
		}
	}
}

func TestErrorText(t *testing.T) {
	if got := (&Error{Code: Kicked}).Error(); got != "kicked" {
		t.Error(got)
	}
	if got := Errorf(BadPayload, "%d", 5).Error(); got != "bad-payload: 5" {
		t.Error(got)
	}
}
