package query

import (
	"slices"
	"strings"
)

// piece is a token of a statement, other than white space.
type piece struct {
	text     string
	from, to int
}

// name returns the token as a name without quotes, and false if it is not a name.
func (p piece) name() (string, bool) {
	switch c := p.text[0]; {
	case c == '"' && len(p.text) > 1:
		return unquoteName(p.text), true
	case inName(c) && (c < '0' || c > '9'):
		return p.text, true
	}
	return "", false
}

func unquoteName(text string) string {
	return strings.ReplaceAll(strings.TrimSuffix(text[1:], `"`), `""`, `"`)
}

// item is a table, a view, a function or a subquery after FROM or JOIN.
type item struct {
	from, to int // in the text
	names    []string
	prefix   bool // the alias is before a colon, as in "e: events"
}

// alias returns the name under which a statement uses the item.
func (t *item) alias() string {
	switch {
	case len(t.names) == 0:
		return ""
	case t.prefix:
		return t.names[0]
	}
	return t.names[len(t.names)-1]
}

// cte is a common table expression, from its name to the parenthesis that closes it.
type cte struct {
	name     string
	from, to int
}

// The stages of a group in WITH.
const (
	noCTE = iota
	cteName
	cteHead // between the name and AS
	cteBody
	cteEnd
)

// group is a SELECT, or the text between parentheses.
type group struct {
	parent    *group
	items     []item
	open      *item // the last item, which may be incomplete
	expects   bool  // an item begins here
	inFrom    bool  // a comma begins an item
	selecting bool  // the select list
	aliases   []string
	ctes      []cte
	stage     int
	recursive bool
}

// endItem ends the item that is open.
func (g *group) endItem() {
	if g.open != nil {
		g.items = append(g.items, *g.open)
	}
	g.open, g.expects = nil, false
}

// scope has the names that are visible at one position of a statement.
type scope struct {
	text   string
	cursor int    // where the word at the cursor begins
	at     *group // the group of the cursor
	// qualifier is the name before the word and a dot.
	qualifier string
	// wantsTable says that a table is expected, inFrom that nothing else is but a function.
	wantsTable, inFrom bool
}

// beforeTable are the words before a table, besides FROM and JOIN.
var beforeTable = []string{"into", "update", "describe", "desc", "show", "summarize", "table", "pivot", "unpivot"}

// afterItem are the words that end an item and may come before another one.
var afterItem = []string{"on", "using", "left", "right", "full", "inner", "outer", "cross", "natural", "asof", "positional", "semi", "anti", "tablesample"}

// afterFrom are the words that end FROM.
var afterFrom = []string{"where", "group", "having", "order", "limit", "offset", "window", "qualify", "sample", "select", "set", "values"}

var setOperations = []string{"union", "except", "intersect"}

// parseScope reads the statement at the cursor: its text before the word, and after it.
func parseScope(before string, begin int, after string) *scope {
	first := 0
	lex(before[:begin], func(t token, _, to int) {
		if t == semicolon {
			first = to
		}
	})
	rest := after[nameLength(after, inName):]
	s := &scope{text: before[first:begin] + rest, cursor: begin - first}
	p := &scopeParser{at: &group{}}
	for _, one := range pieceList(before[first:begin], 0) {
		p.take(one)
	}
	s.at = p.at
	if n := len(p.seen); n > 1 && p.seen[n-1].text == "." {
		s.qualifier, _ = p.seen[n-2].name()
	}
	// An item with a dot at its end is a schema.
	s.inFrom = p.at.expects || s.qualifier != "" && p.at.open != nil
	s.wantsTable = s.inFrom || slices.Contains(beforeTable, p.last())
	p.at.expects = false // the word is the item
	for _, one := range pieceList(rest, s.cursor) {
		if one.text == ";" {
			break
		}
		p.take(one)
	}
	for g := p.at; g != nil; g = g.parent {
		g.endItem()
	}
	s.at.endItem()
	return s
}

// pieceList returns the tokens of a text that begins at an offset in the statement.
func pieceList(text string, offset int) []piece {
	var list []piece
	lex(text, func(t token, from, to int) {
		if t != blank {
			list = append(list, piece{text[from:to], from + offset, to + offset})
		}
	})
	return list
}

// scopeParser follows the groups of a statement.
type scopeParser struct {
	at   *group
	seen []piece
}

// last returns the token before this one in lower case.
func (p *scopeParser) last() string {
	if len(p.seen) == 0 {
		return ""
	}
	return strings.ToLower(p.seen[len(p.seen)-1].text)
}

// take takes the next token.
func (p *scopeParser) take(one piece) {
	defer func() { p.seen = append(p.seen, one) }()
	g, word := p.at, strings.ToLower(one.text)
	switch {
	case word == "(":
		if g.expects {
			g.open, g.expects = &item{from: one.from}, false
		}
		if g.open != nil {
			g.open.to = one.to
		}
		p.at = &group{parent: g}
		return
	case word == ")" && g.parent != nil:
		g.endItem()
		p.at = g.parent
		p.at.closed(one)
		return
	case g.stage != noCTE && g.takeCTE(one, word):
		return
	}
	p.takeWord(g, one, word)
}

// closed takes the parenthesis that closes a group within this one.
func (g *group) closed(end piece) {
	if g.open != nil {
		g.open.to = end.to
	}
	if g.stage == cteBody {
		g.ctes[len(g.ctes)-1].to = end.to
		g.stage = cteEnd
	}
}

// takeCTE takes a token within WITH, and reports whether it belongs there.
func (g *group) takeCTE(one piece, word string) bool {
	switch g.stage {
	case cteName:
		if word == "recursive" {
			g.recursive = true
			return true
		}
		name, ok := one.name()
		if !ok {
			g.stage = noCTE
			return false
		}
		g.ctes = append(g.ctes, cte{name: name, from: one.from})
		g.stage = cteHead
	case cteHead:
		if word == "as" {
			g.stage = cteBody
		}
	case cteEnd:
		if word != "," {
			g.stage = noCTE
			return false
		}
		g.stage = cteName
	}
	return true
}

// takeWord takes a token of a SELECT.
func (p *scopeParser) takeWord(g *group, one piece, word string) {
	switch {
	case word == "with" && len(p.seen) == 0, word == "with" && p.last() == "(":
		g.stage = cteName
	case slices.Contains(setOperations, word):
		g.endItem()
		p.at = &group{parent: g.parent, ctes: g.ctes, recursive: g.recursive}
	case word == "from" && p.last() != "distinct" || word == "join":
		g.endItem()
		g.expects, g.inFrom, g.selecting = true, true, false
	case slices.Contains(afterFrom, word):
		g.endItem()
		g.inFrom, g.selecting = false, word == "select"
	case slices.Contains(afterItem, word) && g.inFrom:
		g.endItem()
	case word == "," && g.inFrom:
		g.endItem()
		g.expects = true
	default:
		g.takeOther(one, p.last())
	}
}

// takeOther takes a token of an item or of an expression.
func (g *group) takeOther(one piece, last string) {
	name, isName := one.name()
	if g.expects {
		g.open, g.expects = &item{from: one.from}, false
	}
	if g.open != nil {
		g.open.to = one.to
		if isName && strings.ToLower(name) != "as" {
			g.open.names = append(g.open.names, name)
		}
		g.open.prefix = g.open.prefix || one.text == ":" && len(g.open.names) == 1
		return
	}
	if g.selecting && isName && last == "as" {
		g.aliases = append(g.aliases, name)
	}
}

// with returns the WITH of the expressions that are visible at the cursor.
func (s *scope) with() string {
	var texts []string
	recursive := ""
	for g := s.at; g != nil; g = g.parent {
		for i := len(g.ctes) - 1; i >= 0; i-- {
			c := g.ctes[i]
			if c.to == 0 || c.from < s.cursor && s.cursor < c.to {
				continue // it contains the cursor, or is not whole
			}
			texts = append(texts, s.text[c.from:c.to])
			if g.recursive {
				recursive = "RECURSIVE "
			}
		}
	}
	if len(texts) == 0 {
		return ""
	}
	slices.Reverse(texts)
	return "WITH " + recursive + strings.Join(texts, ", ") + " "
}

// items returns the items that are visible at the cursor, the nearest first.
func (s *scope) items() []item {
	var items []item
	for g := s.at; g != nil; g = g.parent {
		items = append(items, g.items...)
	}
	return items
}

// cteNames returns the names of the expressions that are visible at the cursor.
func (s *scope) cteNames() []string {
	var names []string
	for g := s.at; g != nil; g = g.parent {
		for _, c := range g.ctes {
			if c.to > 0 {
				names = append(names, c.name)
			}
		}
	}
	return names
}
