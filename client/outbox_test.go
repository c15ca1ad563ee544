package client

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/volley-go/volley/codec"
)

// TestOutboxModel: random use against a plain list.
func TestOutboxModel(t *testing.T) {
	limits := codec.Limits{Frame: 400, Packets: 5, Elements: 200}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var o outbox
		var all [][]byte // all[i] is packet i+1
		sent, acked, taken := 0, 0, 0
		for range 300 {
			switch op := rng.IntN(10); {
			case op < 5:
				p := []byte(fmt.Sprintf("%d:%s", len(all), repeat('x', rng.IntN(120))))
				cut := rng.IntN(len(p))
				o.put(p[:cut], p[cut:])
				all = append(all, p)
			case op < 7:
				got, count, seq := o.take(limits)
				if seq != uint64(sent+1) {
					t.Fatalf("seed %d: seq %d, want %d", seed, seq, sent+1)
				}
				want := bytes.Join(all[sent:sent+count], nil)
				if !bytes.Equal(got, want) || (count == 0) != (sent == len(all)) || count > limits.Packets ||
					count > 1 && len(got) > limits.Elements-frameElements {
					t.Fatalf("seed %d: took %d packets, %d bytes", seed, count, len(got))
				}
				sent += count
				taken = max(taken, sent)
			case op < 9 && taken > acked: // the server may acknowledge what it got on the connection before
				acked += rng.IntN(taken-acked) + 1
				sent = max(sent, acked)
				if !o.trim(uint64(acked)) || !o.trim(uint64(acked/2)) {
					t.Fatalf("seed %d: %d is refused", seed, acked)
				}
			case op == 9 && rng.IntN(5) == 0:
				if o.resend(uint64(taken+1)) || acked > 0 && o.resend(uint64(acked-1)) {
					t.Fatalf("seed %d: resending from where nobody can be", seed)
				}
				sent = acked + rng.IntN(taken-acked+1)
				if !o.resend(uint64(sent)) {
					t.Fatalf("seed %d: no resending behind %d", seed, sent)
				}
			}
			if o.trim(uint64(taken + 1)) {
				t.Fatalf("seed %d: an ack of what was not sent is taken", seed)
			}
			if o.last() != uint64(len(all)) || o.lastSent() != uint64(sent) || o.acked != uint64(acked) {
				t.Fatalf("seed %d: last %d, sent %d, acked %d", seed, o.last(), o.lastSent(), o.acked)
			}
			if held := len(o.bytes) - int(o.head); held != len(bytes.Join(all[acked:], nil)) {
				t.Fatalf("seed %d: %d bytes held", seed, held)
			}
		}
	}
}

// TestOutboxBounded: a pipeline that is never empty does not grow with time.
func TestOutboxBounded(t *testing.T) {
	var o outbox
	for i := range uint64(100_000) {
		o.put([]byte("a packet"), []byte{1})
		o.take(codec.ClientLimits)
		if i >= 20 {
			o.trim(i - 19)
		}
	}
	if cap(o.bytes) > 4096 || cap(o.ends) > 256 {
		t.Errorf("%d bytes, %d packets for 20", cap(o.bytes), cap(o.ends))
	}
	if o.fits(1, 16) || !o.fits(10, 1000) || o.fits(900, 1000) || !new(outbox).fits(900, 16) {
		t.Error("fits")
	}
}
