package lake

import (
	"context"
	"errors"
	"fmt"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
	"datasync/lake/rows"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// replace overwrites what the table has of this origin in one commit.
func (x *exporter) replace(ctx context.Context) error {
	return errors.New("--replace is not built")
}

var _ = []any{fmt.Sprint, model.ExitData, catalog.ErrConflict, position.Key, rows.MaxRows, iceberg.EntryContentData, table.MainBranch, uuid.Nil}
