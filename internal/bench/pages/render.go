package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"datasync/internal/bench/table"
	"datasync/mockserver"
)

// key is the API key of requests: the mock server accepts any.
const key = "ds_test_bench"

// Render renders a Set into a folder, which must not exist: it is there when the Set
// is whole.
func Render(folder string, events, pageSize int) (err error) {
	unfinished := folder + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.MkdirAll(unfinished, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(unfinished))
		}
	}()
	server := mockserver.New(mockserver.Options{
		Data:   mockserver.DataOptions{Events: events},
		Events: mockserver.Pages{Cap: pageSize},
	})
	index := Index{Events: events, PageSize: pageSize, Want: Expected(server.Dataset())}
	if err := index.renderPages(server, unfinished); err != nil {
		return err
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(unfinished, indexName), text, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, folder)
}

// Expected is the fingerprint of the mock server's own events.
func Expected(data *mockserver.Dataset) table.Fingerprint {
	var sum table.Sum
	for i := range data.Len() {
		e := data.Event(i)
		sum.Add(e.ID, e.Time().UnixMicro(), e.Type)
	}
	return sum.Fingerprint()
}

// renderPages walks the events endpoint as a client would and keeps what it gets.
func (index *Index) renderPages(server *mockserver.Server, folder string) error {
	for cursor, last := "", false; !last; {
		body, err := fetch(server.Client(), cursor, index.PageSize)
		if err != nil {
			return err
		}
		if bytes.IndexByte(body, '\n') >= 0 {
			return errors.New("the mock server's pages are more than one line")
		}
		if err := os.WriteFile(filepath.Join(folder, pageName(len(index.Cursors))), body, 0o644); err != nil {
			return err
		}
		index.Cursors = append(index.Cursors, cursor)
		index.Bytes += int64(len(body))
		if cursor, err = Next(body); err != nil {
			return err
		}
		last = cursor == ""
	}
	return nil
}

func fetch(client *http.Client, cursor string, pageSize int) ([]byte, error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	request, err := http.NewRequest(http.MethodGet, mockserver.BaseURL+mockserver.EventsPath+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-API-Key", key)
	request.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: key})
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if errClose := response.Body.Close(); err == nil {
		err = errClose
	}
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the mock server answers %s: %s", response.Status, body)
	}
	return body, err
}
