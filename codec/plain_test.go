package codec

import (
	"math/big"
	"reflect"
	"testing"
	"time"
)

func TestPlain(t *testing.T) {
	type vec struct{ X, Y float32 }
	type array struct {
		_msgpack struct{} `msgpack:",as_array"`
		Pos      [4]vec
		At       time.Time
		Raw      []byte
	}
	type tree struct{ Children []tree }
	for _, c := range []struct {
		v    any
		want bool
	}{
		{vec{}, true}, {array{}, true}, {int8(1), true}, {[]uint16{}, true}, {struct{}{}, true},
		{"text", false}, {struct{ Name string }{}, false}, {map[int]int{}, false}, {tree{}, false}, {[]vec{}, false},
		{big.Int{}, false}, {&vec{}, false}, {[]any{}, false},
	} {
		if got := Plain(reflect.TypeOf(c.v)); got != c.want {
			t.Errorf("%T: %v", c.v, got)
		}
	}
}
