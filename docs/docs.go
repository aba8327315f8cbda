// Package docs embeds the documentation that the program itself shows: operations.md, for
// datasync explain. It knows nothing else.
package docs

import _ "embed" // operations.md

// Operations is operations.md: what to do after each failure, with a section for each topic.
//
//go:embed operations.md
var Operations string
