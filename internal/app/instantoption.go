package app

import (
	"database/sql"
	"time"

	"datasync/internal/human"
	"datasync/internal/model"

	"github.com/urfave/cli/v2"
)

// instantOption reads an option that is a date, a time, or a duration before now. The calendar is that
// of --timezone, or UTC if the command has no such option.
func instantOption(c *cli.Context, name string) (sql.Null[model.Instant], error) {
	if !c.IsSet(name) {
		return sql.Null[model.Instant]{}, nil
	}
	zone := time.UTC
	if text := c.String("timezone"); text != "" {
		var err error
		if zone, err = zoneNamed(text); err != nil {
			return sql.Null[model.Instant]{}, err
		}
	}
	t, err := human.Instant(c.String(name), time.Now(), zone)
	if err != nil {
		return sql.Null[model.Instant]{}, usage("--%s %w", name, err)
	}
	return sql.Null[model.Instant]{V: model.InstantOf(t), Valid: true}, nil
}
