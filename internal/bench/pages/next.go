package pages

import (
	"bytes"
	"encoding/json"
	"errors"
)

// tailLength exceeds the length of a page after its events.
const tailLength = 1 << 10

// Next returns the cursor that a page of a Set leads on with, empty for the last page. It
// looks at the page's end alone.
func Next(body []byte) (string, error) {
	tail := body[max(0, len(body)-tailLength):]
	at := bytes.LastIndex(tail, []byte(`"pagination":`))
	if at < 0 {
		return "", errors.New("a page without pagination at its end")
	}
	var p struct {
		Pagination struct {
			HasMore    bool   `json:"hasMore"`
			NextCursor string `json:"nextCursor"`
		} `json:"pagination"`
	}
	text := append([]byte{'{'}, tail[at:]...)
	if err := json.Unmarshal(text, &p); err != nil {
		return "", err
	}
	if p.Pagination.HasMore != (p.Pagination.NextCursor != "") {
		return "", errors.New("a page whose hasMore and nextCursor disagree")
	}
	return p.Pagination.NextCursor, nil
}
