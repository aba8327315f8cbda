package rivals

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/google/uuid"
)

// plainPage is a page as encoding/json reads it.
type plainPage struct {
	Data       []plainEvent `json:"data"`
	Pagination struct {
		HasMore    bool   `json:"hasMore"`
		NextCursor string `json:"nextCursor"`
	} `json:"pagination"`
}

type plainEvent struct {
	ID         uuid.UUID       `json:"id"`
	SessionID  uuid.UUID       `json:"sessionId"`
	UserID     uuid.UUID       `json:"userId"`
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Properties json.RawMessage `json:"properties"`
	Timestamp  plainTime       `json:"timestamp"`
	Session    struct {
		DeviceType string `json:"deviceType"`
		Browser    string `json:"browser"`
	} `json:"session"`
}

// plainTime is an instant that comes as epoch milliseconds or as RFC 3339 text.
type plainTime struct{ time.Time }

func (t *plainTime) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return t.Time.UnmarshalJSON(text)
	}
	ms, err := strconv.ParseInt(string(text), 10, 64)
	t.Time = time.UnixMilli(ms).UTC()
	return err
}

// Plain stores the pages in a DuckDB file as one would who writes a client in an
// afternoon: a request, encoding/json into structs, the driver's Appender a row at a
// time, a commit a page. It does not resume and checks nothing.
func Plain(ctx context.Context, base, file string) (err error) {
	connector, err := duckdb.NewConnector(file, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connector.Close()) }()
	conn, err := connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, createEvents, nil); err != nil {
		return err
	}
	appender, err := duckdb.NewAppenderFromConn(conn, "", "events")
	if err != nil {
		return err
	}
	var body bytes.Buffer
	for cursor, batch := "", int64(1); ; batch++ {
		if err := get(ctx, base, cursor, &body); err != nil {
			return errors.Join(err, appender.Close())
		}
		var page plainPage
		if err := json.Unmarshal(body.Bytes(), &page); err != nil {
			return errors.Join(err, appender.Close())
		}
		if err := appendPage(appender, page.Data, batch); err != nil {
			return errors.Join(err, appender.Close())
		}
		if cursor = page.Pagination.NextCursor; !page.Pagination.HasMore {
			return appender.Close()
		}
	}
}

// appendPage stores the events of a page in a transaction of their own: Flush commits.
func appendPage(appender *duckdb.Appender, events []plainEvent, batch int64) error {
	for i := range events {
		e := &events[i]
		err := appender.AppendRow(duckdb.UUID(e.ID), duckdb.UUID(e.SessionID), duckdb.UUID(e.UserID), e.Type, e.Name,
			e.Timestamp.Time, e.Properties, e.Session.DeviceType, e.Session.Browser, nil, batch)
		if err != nil {
			return err
		}
	}
	return appender.Flush()
}
