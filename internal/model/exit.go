package model

import "slices"

// The program's exit codes. Signals have codes from 128 on: 130 and 143.
const (
	ExitError = 1 // an error of no other kind
	ExitUsage = 2 // wrong usage
	ExitKey   = 3 // the API refused the key
	ExitAPI   = 4 // the API failed, and the pull can be resumed
	ExitData  = 5 // the counts do not match
	ExitFile  = 6 // the database file, or a file beside it
)

// Exit is how an error ends the program.
type Exit struct {
	// Code is the exit code; 0 means that the error names none.
	Code int
	// Topic is the section of docs/operations.md on this error; "" where the message is enough.
	Topic string
}

// Failure is a sentinel error that says how it ends the program.
type Failure struct {
	exit   Exit
	text   string
	parent error
}

// NewFailure returns a new sentinel, as errors.New does. topic is a section of
// docs/operations.md or "".
func NewFailure(code int, topic, text string) error {
	return &Failure{exit: Exit{code, topic}, text: text}
}

// SubFailure returns a new sentinel that is a special case of parent: errors.Is finds both. Its
// text is added to that of parent.
func SubFailure(parent error, code int, topic, text string) error {
	return &Failure{Exit{code, topic}, parent.Error() + ": " + text, parent}
}

func (f *Failure) Error() string { return f.text }

// Unwrap returns the sentinel of which this one is a special case, or nil.
func (f *Failure) Unwrap() error { return f.parent }

// Exit returns the exit code and the topic.
func (f *Failure) Exit() Exit { return f.exit }

// precedence orders exit codes: of several errors in one, the first decides. What the user got
// wrong explains the rest, and a file that cannot be written outweighs a failure of the API.
var precedence = []int{ExitUsage, ExitKey, ExitData, ExitFile, ExitAPI, ExitError}

// ExitOf returns how an error ends the program, by the errors in its tree that have a method
// Exit() Exit. A signal has precedence over all others. Of errors with the same code, the first
// that has a topic gives it. The code is 0 where no error in the tree says.
func ExitOf(err error) Exit {
	var best Exit
	rank := len(precedence)
	walk(err, func(e Exit) {
		r := slices.Index(precedence, e.Code) // -1 for signals
		switch {
		case best.Code == 0 || r < rank:
			best, rank = e, r
		case r == rank && best.Topic == "":
			best.Topic = e.Topic
		}
	})
	return best
}

// walk visits the errors of a tree that say how they end the program.
func walk(err error, visit func(Exit)) {
	if err == nil {
		return
	}
	if e, ok := err.(interface{ Exit() Exit }); ok {
		visit(e.Exit())
	}
	switch e := err.(type) { //nolint:errorlint // it walks the whole tree itself
	case interface{ Unwrap() error }:
		walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			walk(inner, visit)
		}
	}
}
