package tally

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// PageOf is pageOf.
func PageOf(properties string) (page string, valid, known bool) {
	if properties == "" {
		return "", false, true
	}
	return pageOf(properties)
}

// SQLPage is the page of properties as DuckDB has it.
func SQLPage(ctx context.Context, t *testing.T, session *inspect.Session, properties string) (page sql.NullString) {
	t.Helper()
	value := "NULL"
	if properties != "" {
		value = duck.Quote(properties)
	}
	err := session.Rows(ctx, "SELECT "+value+"::JSON ->> '$.page'", nil, func(r *duck.Result, row int) {
		text, ok := r.Text(0, row)
		page = sql.NullString{String: strings.Clone(text), Valid: ok}
	})
	if err != nil {
		t.Fatal(properties, err)
	}
	return page
}
