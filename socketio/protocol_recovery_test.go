package socketio_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/volley-go/volley/socketio"
)

// member is a socket of a server with recovery.
type member struct{ SID, PID string }

// recover connects to the main namespace, by the secret of a socket that was lost and how far it is.
func (s *suite) recover(pid, offset string) (*wire, member) {
	s.t.Helper()
	w := s.dial()
	auth, err := json.Marshal(map[string]string{"pid": pid, "offset": offset})
	require.NoError(s.t, err)
	w.send("40" + string(auth))
	var m member
	require.NoError(s.t, json.Unmarshal([]byte(strings.TrimPrefix(w.packet(), "40")), &m))
	require.NotEmpty(s.t, m.SID)
	require.NotEmpty(s.t, m.PID)
	return w, m
}

// number reads an event "n" and returns what it carries and its offset.
func (w *wire) number() (n int, offset string) {
	w.t.Helper()
	packet := w.packet()
	var list []any
	require.NoError(w.t, json.Unmarshal([]byte(strings.TrimPrefix(packet, "42")), &list), packet)
	require.Equal(w.t, "n", list[0])
	require.Len(w.t, list, 3, packet)
	return int(list[1].(float64)), list[2].(string)
}

// numbers emits so many in one callback.
func (s *suite) numbers(from, to int) {
	s.io.Post(func() {
		for i := from; i < to; i++ {
			s.io.Emit("n", i)
		}
	})
}

func newRecovering(t *testing.T) *suite {
	return newSuite(t, socketio.Config{Recovery: 20 * time.Second})
}

// A client comes back from after any event, and hears what follows on it, and nothing twice.
func TestRecoveryFromEveryOffset(t *testing.T) {
	s := newRecovering(t)
	w, m := s.recover("", "")
	w.text() // auth
	s.numbers(0, 5)
	s.numbers(5, 8)
	offsets := []string{""}
	for i := range 8 {
		n, offset := w.number()
		require.Equal(t, i, n)
		offsets = append(offsets, offset)
	}
	for from := 1; from <= 8; from++ {
		w.conn.Close()
		var again member
		w, again = s.recover(m.PID, offsets[from])
		require.Equal(t, m, again, "offset %s", offsets[from])
		for i := from; i < 8; i++ {
			n, offset := w.number()
			require.Equal(t, i, n, "after offset %s", offsets[from])
			offsets[i+1] = offset // it may be another one, for the same place
		}
		w.stillWorks()
	}
}

// stillWorks is works where events have offsets.
func (w *wire) stillWorks() {
	w.t.Helper()
	w.send(`421["message-with-ack","works"]`)
	w.want(`431["works"]`)
}

// The offset of an earlier socket, which the client keeps, leaves out nothing of the next one's.
func TestRecoveryFromAnOlderOffset(t *testing.T) {
	s := newRecovering(t)
	w, _ := s.recover("", "")
	w.text()
	s.numbers(0, 5)
	var old []string
	for range 5 {
		_, offset := w.number()
		old = append(old, offset)
	}
	w.send("41")
	for _, offset := range old {
		w, m := s.recover("", "")
		w.text() // auth
		w.conn.Close()
		s.numbers(10, 15)
		require.Eventually(t, func() bool { return s.io.Stats().Away == 1 }, 20*time.Second, 5*time.Millisecond)
		w, again := s.recover(m.PID, offset)
		require.Equal(t, m, again)
		var got []int
		for len(got) < 5 {
			packet := w.packet()
			if strings.Contains(packet, `"auth"`) {
				continue // it may not have arrived
			}
			var list []any
			require.NoError(t, json.Unmarshal([]byte(packet[2:]), &list))
			got = append(got, int(list[1].(float64)))
		}
		assert.Equal(t, []int{10, 11, 12, 13, 14}, got, "offset %s", offset)
		w.stillWorks()
		w.send("41")
	}
}

func TestRecoveryFromOffsetsThatAreNone(t *testing.T) {
	s := newRecovering(t)
	for _, offset := range []string{
		"", "0", "1.", ".1", "-1", "1.-1", "zzzzzzzzzzzzzzzzzzzz", "1.zzzzzzzzzzzz", "x y", "ü", "1.1.1", "9zzzzzzz",
		strings.Repeat("1", 5000),
	} {
		w, m := s.recover("", "")
		w.text()
		w.conn.Close()
		s.numbers(0, 1)
		w, again := s.recover(m.PID, offset)
		if again.PID != m.PID {
			assert.NotEqual(t, m.SID, again.SID)
		}
		w.send(`421["message-with-ack","works"]`)
		for packet := w.packet(); packet != `431["works"]`; packet = w.packet() {
			require.True(t, strings.HasPrefix(packet, "42["), packet)
		}
		w.send("41")
	}
	for _, auth := range []string{`{"pid":1}`, `{"pid":null,"offset":null}`, `{"pid":{},"offset":[]}`, `{"offset":"1"}`,
		`{"pid":"no"}`} {
		w := s.dial()
		w.send("40" + auth)
		require.True(t, strings.HasPrefix(w.packet(), `40{`), auth)
	}
}

// Who comes by the secret takes over, whether or not the connection before is known to be lost.
func TestRecoveryTakesOver(t *testing.T) {
	s := newRecovering(t)
	first, m := s.recover("", "")
	first.text()
	s.numbers(0, 2)
	_, offset := first.number()
	_, _ = first.number()
	second, again := s.recover(m.PID, offset)
	require.Equal(t, m, again)
	first.ends()
	n, _ := second.number()
	assert.Equal(t, 1, n)
	second.stillWorks()
	assert.Equal(t, 1, s.io.Stats().Sockets)
	assert.Equal(t, 1, s.io.Stats().Sessions)
}

// Nobody comes back twice, nor to another namespace, nor after a disconnection.
func TestRecoverySecrets(t *testing.T) {
	s := newRecovering(t)
	w, m := s.recover("", "")
	w.text()
	w.send("41")
	assert.Equal(t, "client namespace disconnect", s.reason(m.SID))
	w, again := s.recover(m.PID, "")
	assert.NotEqual(t, m.PID, again.PID)
	assert.NotEqual(t, m.SID, again.SID)
	w.text()
	w.send(fmt.Sprintf(`40/custom,{"pid":%q,"offset":"0"}`, again.PID))
	packet := w.packet()
	assert.True(t, strings.HasPrefix(packet, "40/custom,"), packet)
	assert.NotContains(t, packet, again.PID)
	w.packet()
	w.stillWorks()
}
