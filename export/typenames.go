package export

import (
	"strings"

	"datasync/internal/duck"
)

// asText has the types that some readers of Parquet refuse or misread. Portable files have DuckDB's
// text instead, which casts back to the same value.
var asText = map[string]bool{
	"UUID": true, "JSON": true, "INTERVAL": true, "TIME": true, "TIME WITH TIME ZONE": true, "TIME_NS": true,
	"TIMESTAMP_NS": true, "VARIANT": true, "GEOMETRY": true, "UNION": true, "": true,
}

// inexact has the types whose values Parquet's logical types change: an interval loses its
// microseconds and wraps after 2^32 milliseconds, and a time loses its offset.
var inexact = map[string]bool{"INTERVAL": true, "TIME WITH TIME ZONE": true}

// fileType returns the type to which a Parquet file casts a value of a type. It returns the type
// itself if the values are written unchanged.
func (t Types) fileType(typeName string) string {
	return mapTypes(typeName, func(leaf string) string {
		base, _, _ := strings.Cut(leaf, "(")
		switch {
		case base == "HUGEINT" || base == "UHUGEINT":
			return "DECIMAL(38,0)" // DuckDB would write a DOUBLE, whose 53 bits cannot hold every sum
		case t == Portable && asText[base], t == logicalWithText && base == "UUID":
			return "VARCHAR"
		}
		return leaf
	})
}

// checkTypes fails with ErrOptions if a file cannot hold the values of a column exactly.
func (l *Layout) checkTypes(columns []duck.ColumnType) error {
	if l.Format != Parquet || l.Types == Portable {
		return nil
	}
	for _, c := range l.written(columns) {
		found := ""
		mapTypes(c.Type, func(leaf string) string {
			if inexact[leaf] {
				found = leaf
			}
			return leaf
		})
		if found != "" {
			return invalid("Parquet cannot hold the %s in column %s exactly: write CAST(%s AS %s), or --types portable, which writes it as text",
				found, shorten(identifier(c.Name)), shorten(identifier(c.Name)), shorten(strings.ReplaceAll(c.Type, found, "VARCHAR")))
		}
	}
	return nil
}

// mapTypes returns a type, in DuckDB's notation, with its leaves replaced. Leaves are types without
// parts, and unions.
func mapTypes(typeName string, leaf func(string) string) string {
	p := typeParser{rest: typeName, leaf: leaf}
	if mapped := p.parse(); p.rest == "" {
		return mapped
	}
	return leaf(typeName) // a type of an extension
}

// typeParser reads the name of a type from its beginning.
type typeParser struct {
	rest string
	leaf func(string) string
}

func (p *typeParser) parse() string {
	var b strings.Builder
	switch {
	case p.take("STRUCT("):
		b.WriteString("STRUCT(")
		for {
			b.WriteString(p.quoted('"'))
			b.WriteString(p.until(" ") + p.parse())
			if !p.take(", ") {
				break
			}
			b.WriteString(", ")
		}
		p.take(")")
		b.WriteString(")")
	case p.take("MAP("):
		b.WriteString("MAP(" + p.parse())
		p.take(", ")
		b.WriteString(", " + p.parse() + ")")
		p.take(")")
	default:
		b.WriteString(p.leaf(p.scalar()))
	}
	for strings.HasPrefix(p.rest, "[") {
		b.WriteString(p.until("]"))
	}
	return b.String()
}

// scalar reads a type without parts, or with parts in parentheses, such as an ENUM with its values.
func (p *typeParser) scalar() string {
	var b strings.Builder
	depth := 0
	for p.rest != "" {
		c := p.rest[0]
		switch {
		case c == '"' || c == '\'':
			b.WriteString(p.quoted(c))
			continue
		case depth == 0 && (c == ',' || c == ')' || c == '['):
			return b.String()
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		b.WriteByte(c)
		p.rest = p.rest[1:]
	}
	return b.String()
}

// quoted reads a text in quotes, in which a doubled quote is one.
func (p *typeParser) quoted(quote byte) string {
	for end := 1; end < len(p.rest); end++ {
		if p.rest[end] != quote {
			continue
		}
		if end+1 < len(p.rest) && p.rest[end+1] == quote {
			end++
			continue
		}
		text := p.rest[:end+1]
		p.rest = p.rest[end+1:]
		return text
	}
	text := p.rest
	p.rest = ""
	return text
}

// until reads up to the end of a text.
func (p *typeParser) until(end string) string {
	n := strings.Index(p.rest, end)
	if n < 0 {
		return ""
	}
	text := p.rest[:n+len(end)]
	p.rest = p.rest[n+len(end):]
	return text
}

// take reads a text if it is next.
func (p *typeParser) take(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return ok
}
