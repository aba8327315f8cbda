// Package docs is what the program carries along of its documentation, for those who
// have nothing but the program.
package docs

import _ "embed" // which operations.md is

// Operations is operations.md: what to do after each failure, a section a topic.
//
//go:embed operations.md
var Operations string
