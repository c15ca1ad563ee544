package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
)

var (
	customEncoderType   = reflect.TypeFor[msgpack.CustomEncoder]()
	marshalerType       = reflect.TypeFor[msgpack.Marshaler]()
	binaryMarshalerType = reflect.TypeFor[encoding.BinaryMarshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
)

// fieldList collects the fields of a struct in the order in which msgpack/v5 writes them.
type fieldList struct {
	fields []field
	taken  map[string]bool // as in msgpack/v5, with aliases and the names of embedded structs
}

// fields lists the fields of t as msgpack/v5 does, embedded structs flattened. What msgpack/v5 would write as a map with one
// key twice is an error here.
func (c *compiler) fields(t reflect.Type) ([]field, error) {
	list := fieldList{taken: map[string]bool{}}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := parseTag(f)
		if tag.name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && !tag.noinline {
			done, err := c.inline(&list, f, tag)
			if err != nil {
				return nil, err
			}
			if done {
				list.taken[tag.name] = true
				continue
			}
		}
		if err := checkField(f, tag); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		decode, err := c.fieldDecoder(f)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		list.add(field{name: tag.name, alias: tag.alias, offset: f.Offset, decode: decode})
	}
	return list.fields, list.check()
}

func (l *fieldList) add(f field) {
	l.fields = append(l.fields, f)
	l.taken[f.name] = true
	if f.alias != "" {
		l.taken[f.alias] = true
	}
}

// check refuses a name or an alias that stands for two fields.
func (l *fieldList) check() error {
	seen := map[string]bool{}
	for _, f := range l.fields {
		for _, name := range []string{f.name, f.alias} {
			if name != "" && seen[name] {
				return fmt.Errorf("two fields are called %s", name)
			}
			seen[name] = true
		}
	}
	return nil
}

// inline adds the fields of an embedded struct, if it is one that msgpack/v5 flattens: one of whose names the struct around
// it has used already is not, and becomes a field of its own, unless the tag says inline, which drops those fields.
func (c *compiler) inline(l *fieldList, f reflect.StructField, tag fieldTag) (bool, error) {
	if f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct {
		return false, fmt.Errorf("field %s: an embedded pointer cannot be decoded; embed the struct or name the field", f.Name)
	}
	if f.Type.Kind() != reflect.Struct || f.Type == timeType || !tag.inline && codesItself(f.Type) {
		return false, nil
	}
	inner, err := c.fields(f.Type)
	if err != nil {
		return false, fmt.Errorf("field %s: %w", f.Name, err)
	}
	if !tag.inline {
		for _, g := range inner {
			if l.taken[g.name] {
				return false, nil
			}
		}
	}
	for _, g := range inner {
		if !l.taken[g.name] {
			g.offset += f.Offset
			l.add(g)
		}
	}
	return true, nil
}

// codesItself reports whether msgpack/v5 would call a method of *t to encode or to decode.
func codesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return decodesItself(t) || p.Implements(customEncoderType) || p.Implements(marshalerType) ||
		p.Implements(binaryMarshalerType) || p.Implements(textMarshalerType)
}

func checkField(f reflect.StructField, tag fieldTag) error {
	switch {
	case !f.IsExported():
		return fmt.Errorf("an embedded %s that is not exported cannot be decoded", f.Type)
	case tag.intern:
		return fmt.Errorf("interned strings are no part of the wire")
	case tag.inline:
		return fmt.Errorf("inline is for embedded structs")
	}
	return nil
}

func (c *compiler) fieldDecoder(f reflect.StructField) (decodeFunc, error) {
	if f.Tag.Get("volley") != "nonfinite" {
		return c.compile(f.Type)
	}
	if k := f.Type.Kind(); k != reflect.Float32 && k != reflect.Float64 {
		return nil, fmt.Errorf(`volley:"nonfinite" is for floats, not %s`, f.Type)
	}
	return floatDecoder(f.Type, true), nil
}

// fieldTag is what a field's msgpack tag says.
type fieldTag struct {
	name, alias              string
	inline, noinline, intern bool
}

func parseTag(f reflect.StructField) fieldTag {
	name, options, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
	tag := fieldTag{name: name}
	if name == "" {
		tag.name = f.Name
	}
	for o := range strings.SplitSeq(options, ",") {
		switch alias, isAlias := strings.CutPrefix(o, "alias:"); {
		case isAlias:
			tag.alias = alias
		case o == "inline":
			tag.inline = true
		case o == "noinline":
			tag.noinline = true
		case o == "intern":
			tag.intern = true
		}
	}
	return tag
}
