package faults

import "encoding/json"

// quoted is a text as JSON, as it is.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // cannot happen
	}
	return string(b)
}
