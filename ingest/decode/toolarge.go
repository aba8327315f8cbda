package decode

import "fmt"

// TooLarge is the error of a page that is larger than one may be. An endpoint that sends such a
// page is asked for smaller ones.
type TooLarge struct {
	Endpoint string // "" where an error around it names the endpoint
	Limit    string // that the page exceeds
	// counted says that the text begins as a page does, elements how many elements are whole in what
	// was read of it, asked how many were asked for.
	Counted             bool
	Elements, Requested int
	// final says that no smaller page is left to ask for.
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
		text += fmt.Sprintf(", though it was asked for %d events at most", e.Requested)
	default:
		text += " for a page of one event"
	}
	return text
}

func (e *TooLarge) Unwrap() error { return ErrMalformed }
