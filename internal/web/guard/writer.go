package guard

import (
	"net/http"
	"time"
)

// patience is how long a client may take to read a part of an answer.
const patience = 10 * time.Second

// Writer writes an answer that may take any time, as long as its client reads. A write fails with
// os.ErrDeadlineExceeded if the client has read nothing for long, and the connection ends.
type Writer struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

// NewWriter returns a writer of the answer w. The request's body must have been read.
func NewWriter(w http.ResponseWriter) *Writer {
	c := http.NewResponseController(w)
	// The deadline of the request would end the request's context.
	_ = c.SetReadDeadline(time.Time{})
	return &Writer{w, c, patience}
}

// piece is how many bytes a client has to read in the time of its patience: a tunnel may be slow.
const piece = 64 << 10

// Write writes a part of the answer.
func (w *Writer) Write(b []byte) (written int, err error) {
	for written < len(b) && err == nil {
		if err = w.control.SetWriteDeadline(time.Now().Add(w.patience)); err == nil {
			var n int
			n, err = w.w.Write(b[written:min(len(b), written+piece)])
			written += n
		}
	}
	return written, err
}

// Flush sends the bytes that are written so far.
func (w *Writer) Flush() error {
	if err := w.control.SetWriteDeadline(time.Now().Add(w.patience)); err != nil {
		return err
	}
	return w.control.Flush()
}
