package decode

import (
	"errors"
	"fmt"

	"datasync/internal/human"
)

// ErrMalformed is the error of a body that is not a whole, well-formed page: it was cut off, or another
// server or a proxy answered. The request has failed, and nothing of the body may be used.
var ErrMalformed = errors.New("malformed page")

// maxElement is the largest element that may be an event, in bytes. Of a larger one, the beginning is
// kept as a reject. The API's have some 350 bytes, and DuckDB takes several times the memory of a text
// to store it.
const maxElement = 16 << 20

// MaxElements is how many elements a page may have. Elements of a few bytes, which the API never sends,
// would take a hundred times the memory of their text.
const MaxElements = 500_000

func malformed(what string, at int) error {
	return fmt.Errorf("%w: %s at byte %s", ErrMalformed, what, human.Thousands(int64(at)))
}
