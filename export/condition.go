package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// syntaxTree is the part of DuckDB's json_serialize_sql that tells a bare condition from a
// longer statement.
type syntaxTree struct {
	Error      bool
	Message    string `json:"error_message"`
	Statements []struct {
		Node struct {
			Type      string
			Modifiers []any
			Groups    []any  `json:"group_expressions"`
			Aggregate string `json:"aggregate_handling"`
			Having    any
			Qualify   any
			Sample    any
		}
	}
}

// checkCondition fails with ErrOptions unless the text is one condition: one that is followed by
// an ORDER BY, or closes a parenthesis that it did not open, would change our statement.
func checkCondition(ctx context.Context, s *inspect.Session, condition string) error {
	if strings.ContainsRune(condition, 0) {
		return invalid("--where has a NUL character in it")
	}
	var text string
	err := s.DB().QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", selecting+condition).Scan(&text)
	if err != nil {
		return err
	}
	var tree syntaxTree
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return fmt.Errorf("read the condition: %w", err)
	}
	// DuckDB serializes SELECTs only: that message means that a second statement follows.
	if tree.Error && !strings.Contains(tree.Message, "Only SELECT") {
		st, err := s.Prepare(selecting + condition) // its error has a position
		if err != nil {
			return invalid("--where: %w", within(err, len(selecting)))
		}
		st.Close()
		return invalid("--where: %s", tree.Message)
	}
	if !tree.isBareSelect() {
		return invalid("--where is more than a condition: leave out what follows it")
	}
	return nil
}

// selecting makes a statement of a condition.
const selecting = "SELECT 1 FROM events WHERE "

// within translates the position of an error in a statement to one in the part that begins at an
// offset.
func within(err error, ahead int) error {
	var e *duck.SQLError
	if errors.As(err, &e) {
		e.Position = max(-1, e.Position-ahead)
	}
	return err
}

// isBareSelect reports whether the tree is one SELECT with nothing after its WHERE.
func (t *syntaxTree) isBareSelect() bool {
	if len(t.Statements) != 1 {
		return false
	}
	n := t.Statements[0].Node
	return n.Type == "SELECT_NODE" && len(n.Modifiers) == 0 && len(n.Groups) == 0 && n.Aggregate == "STANDARD_HANDLING" &&
		n.Having == nil && n.Qualify == nil && n.Sample == nil
}
