package query

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"datasync/internal/human"
	"datasync/internal/model"
)

//go:embed named/*.sql
var namedFiles embed.FS

// Named is a query that is built into the program. Its SQL is one SELECT whose parameters,
// $name, take text, which the statement casts to their types.
type Named struct {
	Name        string
	Title       string  // a few words
	Description string  // the question it answers and its terms: sentences on one line
	Params      []Param // all parameters of the SQL
	SQL         string  // without the semicolon
}

// Param is a parameter of a Named.
type Param struct {
	Name        string `json:"name"`
	Type        string `json:"type"`    // DuckDB's name of it
	Default     string `json:"default"` // as a user would write it
	Description string `json:"description"`
}

// ErrNoNamed says that no named query has that name.
var ErrNoNamed = model.NewFailure(model.ExitUsage, "", "no such named query")

// namedOrder returns the names of the named queries, the simplest question first.
func namedOrder() []string {
	return []string{
		"events_per_hour", "error_rate", "daily_active_users", "sessions", "funnel", "retention", "top_pages", "devices", "browsers",
	}
}

// NamedQueries returns all named queries, the simplest question first.
func NamedQueries() ([]Named, error) {
	var all []Named
	for _, name := range namedOrder() {
		n, err := readNamed(name)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// FindNamed returns the named query of that name. It fails with ErrNoNamed if there is none.
func FindNamed(name string) (Named, error) {
	for _, known := range namedOrder() {
		if name == known {
			return readNamed(name)
		}
	}
	return Named{}, fmt.Errorf("%w; the names are %s%s", ErrNoNamed, strings.Join(namedOrder(), ", "), human.DidYouMean(name, namedOrder()))
}

func readNamed(name string) (Named, error) {
	text, err := namedFiles.ReadFile("named/" + name + ".sql")
	if err != nil {
		return Named{}, err
	}
	n, err := parseNamed(name, string(text))
	if err != nil {
		return Named{}, fmt.Errorf("named query %s: %w", name, err)
	}
	return n, nil
}

// paramLine matches the declaration of a parameter: "$name TYPE = default: description".
var paramLine = regexp.MustCompile(`^\$([a-z_]+) ([A-Z]+(?:\[\])?) = (\S+): (\S.*)$`)

// parseNamed parses a file: a comment, an empty line, and the statement. Empty comment lines
// separate the comment's title, description and parameters. A parameter's further lines are
// indented.
func parseNamed(name, text string) (Named, error) {
	header, statement, ok := strings.Cut(text, "\n\n")
	if !ok {
		return Named{}, errors.New("no empty line between the comment and the statement")
	}
	parts := [][]string{nil}
	for line := range strings.SplitSeq(header, "\n") {
		comment, ok := strings.CutPrefix(line, "--")
		switch {
		case comment == "" && ok:
			parts = append(parts, nil)
			continue
		case !ok || !strings.HasPrefix(comment, " "):
			return Named{}, fmt.Errorf("line %q is not a comment", line)
		}
		last := &parts[len(parts)-1]
		*last = append(*last, comment[1:])
	}
	if len(parts) != 3 || len(parts[0]) != 1 || len(parts[1]) == 0 {
		return Named{}, errors.New("the comment is not a title, a description and parameters")
	}
	n := Named{Name: name, Title: parts[0][0], Description: strings.Join(parts[1], " ")}
	var err error
	if n.Params, err = parseParams(parts[2]); err != nil {
		return Named{}, err
	}
	if n.SQL, ok = strings.CutSuffix(statement, ";\n"); !ok || strings.TrimSpace(n.SQL) == "" {
		return Named{}, errors.New("the statement does not end with a semicolon and a newline")
	}
	return n, nil
}

func parseParams(lines []string) ([]Param, error) {
	var params []Param
	for _, line := range lines {
		if more, ok := strings.CutPrefix(line, "  "); ok && len(params) > 0 {
			params[len(params)-1].Description += " " + more
			continue
		}
		m := paramLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %q declares no parameter", line)
		}
		params = append(params, Param{m[1], m[2], m[3], m[4]})
	}
	return params, nil
}
