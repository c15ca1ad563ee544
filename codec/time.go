package codec

import (
	"encoding/binary"
	"time"
	"unsafe"
)

// decodeTime reads a timestamp extension, which Value has checked to be one of three lengths.
func decodeTime(s *decodeState, p unsafe.Pointer) error {
	if s.r.p < len(s.r.b) && !isExt(s.r.b[s.r.p]) {
		return mismatch(s.r.b[s.r.p], "a timestamp")
	}
	b, err := s.r.Value()
	if err != nil {
		return err
	}
	var sec, nsec int64
	switch b[0] {
	case 0xd6: // 32 bits of seconds
		sec = int64(binary.BigEndian.Uint32(b[2:]))
	case 0xd7: // 30 bits of nanoseconds, 34 of seconds
		u := binary.BigEndian.Uint64(b[2:])
		sec, nsec = int64(u&(1<<34-1)), int64(u>>34)
	default: // 32 bits of nanoseconds, 64 of seconds
		sec, nsec = int64(binary.BigEndian.Uint64(b[7:])), int64(binary.BigEndian.Uint32(b[3:]))
	}
	if nsec > 999_999_999 {
		return Errorf(BadPayload, "a timestamp with %d nanoseconds", nsec)
	}
	t := time.Unix(sec, nsec)
	if t.IsZero() {
		t = t.UTC() // so that it equals time.Time{}
	}
	*(*time.Time)(p) = t
	return nil
}
