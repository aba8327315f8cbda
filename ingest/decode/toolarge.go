package decode

import (
	"fmt"

	"datasync/internal/human"
)

// TooLarge is the error of a page that exceeds a limit. It wraps ErrMalformed. The client requests
// smaller pages of that endpoint.
type TooLarge struct {
	Endpoint string // "" if an error around it names the endpoint
	Limit    string // the limit that the page exceeds, such as "128 MiB"
	// Counted says that the text begins as a page does. Then Elements is how many whole elements
	// were read, and Requested how many the request allowed.
	Counted             bool
	Elements, Requested int
	// Final says that there is no smaller page to request.
	Final bool
}

func (e *TooLarge) Error() string {
	text := ErrMalformed.Error() + ": "
	if e.Endpoint != "" {
		text += fmt.Sprintf("the %s endpoint sent ", e.Endpoint)
	}
	text += "more than " + e.Limit
	switch {
	case !e.Final:
	case e.Elements > e.Requested:
		text += fmt.Sprintf(", although the request allowed %s", human.Counted(int64(e.Requested), "event"))
	default:
		text += " for a page of one event"
	}
	return text
}

// Unwrap returns ErrMalformed.
func (e *TooLarge) Unwrap() error { return ErrMalformed }
