package export

import (
	"context"
	"database/sql"

	"datasync/internal/store"
)

// ask returns the rows of a query whose columns are texts of type VARCHAR, then numbers of type
// BIGINT.
func ask(ctx context.Context, s *store.Session, query string, texts, numbers int) ([]answer, error) {
	st, err := s.Prepare(query)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	result, err := st.Run(ctx)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	var answers []answer
	for {
		n, err := result.Next()
		if err != nil || n == 0 {
			return answers, err
		}
		for row := range n {
			a := answer{make([]sql.NullString, texts), make([]int64, numbers)}
			for i := range texts {
				value, ok := result.Text(i, row)
				// The text is only valid as long as the chunk.
				a.texts[i] = sql.NullString{String: string([]byte(value)), Valid: ok}
			}
			for i := range numbers {
				a.numbers[i], _ = result.Int64(texts+i, row)
			}
			answers = append(answers, a)
		}
	}
}

// answer is a row of ask.
type answer struct {
	texts   []sql.NullString
	numbers []int64
}
