package export

import (
	"context"
	"database/sql"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// ask returns the rows of a query whose columns are texts of type VARCHAR, then numbers of type
// BIGINT.
func ask(ctx context.Context, s *inspect.Session, query string, texts, numbers int) (answers []answer, err error) {
	err = s.Rows(ctx, query, nil, func(r *duck.Result, row int) {
		a := answer{make([]sql.NullString, texts), make([]int64, numbers)}
		for i := range texts {
			value, ok := r.Text(i, row)
			// The text is only valid as long as the chunk.
			a.texts[i] = sql.NullString{String: strings.Clone(value), Valid: ok}
		}
		for i := range numbers {
			a.numbers[i], _ = r.Int64(texts+i, row)
		}
		answers = append(answers, a)
	})
	return answers, err
}

// answer is a row of ask.
type answer struct {
	texts   []sql.NullString
	numbers []int64
}
