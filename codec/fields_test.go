package codec

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// The names are exported where msgpack/v5 could not decode them otherwise.
type (
	Base struct {
		ID   int
		Kind string `msgpack:"kind"`
	}
	Other   struct{ ID, Extra int }
	Encodes struct{ N int }
	hidden  struct{ H int }
	Deep    struct{ Base }
	AsArray struct {
		_msgpack struct{} `msgpack:",as_array"`
		A        int
		B        string
		skipped  int
		C        []int `msgpack:"c,omitempty"`
	}
)

func (e *Encodes) EncodeMsgpack(enc *msgpack.Encoder) error { return enc.EncodeInt(int64(e.N)) }

// layouts are structs whose fields msgpack/v5 and this package must see alike.
var layouts = []any{
	point{}, Base{}, AsArray{},
	struct {
		A int `msgpack:"a"`
		B int `msgpack:"-"`
		c int
		D int `msgpack:",omitempty"`
		E int `msgpack:"e,omitempty"`
	}{},
	struct {
		Base
		X int
	}{},
	struct {
		X int
		Base
	}{},
	struct {
		Base `msgpack:"base"` // a name does not keep msgpack/v5 from flattening
		X    int
	}{},
	struct {
		Base `msgpack:",noinline"`
		X    int
	}{},
	struct {
		Base `msgpack:"b,noinline"`
		ID   int
	}{},
	struct { // shadowed: Base becomes a field of its own
		ID int
		Base
	}{},
	struct { // shadowed by inline's rule: only ID is dropped
		ID   int
		Base `msgpack:",inline"`
	}{},
	struct { // two embedded ones that collide
		Base
		Other
	}{},
	struct {
		Other `msgpack:",inline"`
		Base  `msgpack:",inline"`
	}{},
	struct {
		hidden
		X int
	}{},
	struct {
		sync.Mutex
		X int
	}{},
	struct {
		Deep
		X int
	}{},
	struct { // named as an embedded struct is
		Base
		Wrap struct{ Base int }
	}{},
	struct {
		Base
		In struct{ Deep }
	}{},
	struct {
		time.Time `msgpack:"at"`
	}{},
	struct {
		A int `msgpack:"a,alias:b"`
		C int
	}{},
}

// TestFieldsAreThoseOfMsgpack compares the names and their order with what msgpack/v5 writes.
func TestFieldsAreThoseOfMsgpack(t *testing.T) {
	for _, v := range layouts {
		typ := reflect.TypeOf(v)
		t.Run(typ.String(), func(t *testing.T) {
			c := compiler{known: map[reflect.Type]*decodeFunc{}}
			if decodesItself(typ) {
				return // embedding time.Time promotes its methods
			}
			list, err := c.fields(typ)
			if err != nil {
				t.Fatal(err)
			}
			filled := reflect.New(typ)
			fill(filled.Elem(), 1)
			b, err := msgpack.Marshal(filled.Interface())
			if err != nil {
				t.Fatal(err)
			}
			r := NewReader(b, ServerLimits)
			if isArray(b[0]) {
				if n, _ := r.Array(); n != len(list) {
					t.Errorf("%d elements, %d fields", n, len(list))
				}
				return
			}
			n, _ := r.Map()
			var theirs, ours []string
			for range n {
				name, _ := r.Str()
				theirs = append(theirs, string(name))
				r.Value()
			}
			for _, f := range list {
				ours = append(ours, f.name)
			}
			if !reflect.DeepEqual(ours, theirs) {
				t.Errorf("fields %q, msgpack/v5 writes %q", ours, theirs)
			}
		})
	}
}

// fill puts numbers that are not zero everywhere.
func fill(v reflect.Value, n int) int {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				n = fill(v.Field(i), n)
			} else if f := v.Field(i); v.Type().Field(i).Anonymous {
				n = fill(f, n)
			}
		}
	case reflect.Int:
		v.SetInt(int64(n))
	case reflect.Float32:
		v.SetFloat(float64(n))
	case reflect.String:
		v.SetString(fmt.Sprint("s", n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
	}
	return n + 1
}

func TestEmbedded(t *testing.T) {
	type flat struct {
		X int
		Deep
		hidden
	}
	t.Run("flat", decodes("84 a1 58 01 a2 4944 02 a4 6b696e64 a1 6b a1 48 03", flat{1, Deep{Base{2, "k"}}, hidden{3}}))
	t.Run("as array", decodes("94 01 02 a1 6b 03", flat{1, Deep{Base{2, "k"}}, hidden{3}}))
	type shadow struct {
		ID int
		Base
	}
	t.Run("shadowed", decodes("82 a2 4944 01 a4 42617365 81 a2 4944 02", shadow{1, Base{ID: 2}}))
	type custom struct {
		Encodes // encodes itself, so it is not flattened
		X       int
	}
	t.Run("with methods", refuses[custom]("81 a7 456e636f646573 c3", "Encodes: a boolean where a map is wanted"))
	type dropped struct {
		ID   int
		Base `msgpack:",inline"`
	}
	t.Run("inline", decodes("82 a2 4944 01 a4 6b696e64 a1 6b", dropped{1, Base{Kind: "k"}}))
	type alias struct {
		A int `msgpack:"a,alias:b"`
	}
	t.Run("alias", decodes("81 a1 62 01", alias{1}))
	t.Run("alias and name", refuses[alias]("82 a1 61 01 a1 62 02", "a comes twice"))
}

func TestFieldsThatCannotBe(t *testing.T) {
	type unexported struct{ hidden }
	type shadowedUnexported struct {
		H int
		hidden
	}
	type myInt int
	cases := map[string]error{
		"two fields are called ID": compileError[struct {
			Base // msgpack/v5 writes ID twice
			ID   int
		}](),
		"two fields are called a": compileError[struct {
			A int `msgpack:"a"`
			B int `msgpack:"a"`
		}](),
		"two fields are called B": compileError[struct {
			A int `msgpack:",alias:B"`
			B int
		}](),
		"field Base: an embedded pointer cannot be decoded; embed the struct or name the field":   compileError[struct{ *Base }](),
		"field hidden: an embedded pointer cannot be decoded; embed the struct or name the field": compileError[struct{ *hidden }](),
		"field myInt: an embedded codec.myInt that is not exported cannot be decoded":             compileError[struct{ myInt }](),
		"field hidden: an embedded codec.hidden that is not exported cannot be decoded":           compileError[shadowedUnexported](),
		"field A: interned strings are no part of the wire": compileError[struct {
			A string `msgpack:",intern"`
		}](),
		"field A: inline is for embedded structs": compileError[struct {
			A Base `msgpack:",inline"`
		}](),
	}
	for want, err := range cases {
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := compileError[unexported](); err != nil {
		t.Error(err)
	}
}

func TestUnknownAndDoubleFields(t *testing.T) {
	t.Run("unknown ones are skipped", decodes("84 a1 61 92 01 81 a1 78 c0 a1 59 02 a1 7a d6 ff 00000000 a1 58 01", point{1, 2}))
	t.Run("none", decodes("80", point{}))
	t.Run("unknown twice", decodes("82 a1 61 00 a1 61 00", point{}))
	t.Run("a name with a wide header", decodes("81 db 00000001 59 05", point{0, 5}))
	t.Run("twice", refuses[point]("82 a1 58 01 a1 58 02", "X comes twice"))
	t.Run("a number as a name", refuses[point]("81 05 01", "a field name: a number where a string is wanted"))
	t.Run("too few in an array", refuses[point]("91 01", "1 values where the struct has 2 fields"))
	t.Run("too many in an array", refuses[point]("93 01 02 03", "3 values where the struct has 2 fields"))
	t.Run("as_array", decodes("93 05 a1 62 c0", AsArray{A: 5, B: "b"}))
	t.Run("as_array from a map", decodes("82 a1 63 91 07 a1 41 05", AsArray{A: 5, C: []int{7}}))
}

// TestLargeStruct has more fields than a word has bits, and one as many.
func TestLargeStruct(t *testing.T) {
	for _, n := range []int{64, 65, 200} {
		var fields []reflect.StructField
		for i := range n {
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int]()})
		}
		c := compiler{known: map[reflect.Type]*decodeFunc{}}
		typ := reflect.StructOf(fields)
		decode, err := c.compile(typ)
		if err != nil {
			t.Fatal(err)
		}
		want := reflect.New(typ)
		fill(want.Elem(), 1)
		b, err := Marshal(want.Interface())
		if err != nil {
			t.Fatal(err)
		}
		run := func(b []byte) (reflect.Value, error) {
			v := reflect.New(typ)
			s := decodeState{r: NewReader(b, ServerLimits)}
			return v, s.run(decode, v.UnsafePointer(), false)
		}
		got, err := run(b)
		if err != nil || !reflect.DeepEqual(got.Interface(), want.Interface()) {
			t.Errorf("%d fields: %v", n, err)
		}
		twice := unhex(t, "83 a2 4631 01 a1 7a 91 c0 a2 4631 02")
		if _, err := run(twice); err == nil || err.Error() != "bad-payload: F1 comes twice" {
			t.Errorf("%d fields, one twice: %v", n, err)
		}
		last := AppendStr(AppendMap(nil, 1), fmt.Sprintf("F%d", n-1))
		if _, err := run(AppendBool(last, true)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("F%d: a boolean", n-1)) {
			t.Errorf("%d fields, a bad one: %v", n, err)
		}
		if _, err := run(unhex(t, "81 05 01")); err == nil || !strings.Contains(err.Error(), "a field name") {
			t.Errorf("%d fields, a number as name: %v", n, err)
		}
		list := AppendArray(nil, n)
		for i := range n {
			list = AppendUint(list, uint64(i+1))
		}
		if got, err := run(list); err != nil || got.Elem().Field(n-1).Int() != int64(n) {
			t.Errorf("%d fields from an array: %v", n, err)
		}
	}
}
