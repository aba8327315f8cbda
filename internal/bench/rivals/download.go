package rivals

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"datasync/internal/bench/pages"
	"datasync/mockserver"
)

// Downloaded is the result of Download.
type Downloaded struct {
	Pages int   `json:"pages"`
	Bytes int64 `json:"bytes"` // of bodies
}

// Download asks for page after page and reads each to its end. It looks for the next
// cursor at the end of the page and does nothing else: no program that walks pages one
// after the other can be faster.
func Download(ctx context.Context, base string) (d Downloaded, err error) {
	var body bytes.Buffer
	for cursor, last := "", false; !last; {
		if err := get(ctx, base, cursor, &body); err != nil {
			return d, err
		}
		d.Pages++
		d.Bytes += int64(body.Len())
		if cursor, err = pages.Next(body.Bytes()); err != nil {
			return d, err
		}
		last = cursor == ""
	}
	return d, nil
}

// get reads the page that a cursor asks for into body.
func get(ctx context.Context, base, cursor string, body *bytes.Buffer) error {
	query := url.Values{"limit": {strconv.Itoa(pages.PageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+mockserver.EventsPath+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-API-Key", Key)
	request.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: Key})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", base, response.Status)
	}
	body.Reset()
	_, err = io.Copy(body, response.Body)
	return err
}
