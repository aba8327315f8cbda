package query

// UsedParams returns the values of the parameters that a text uses. The text is one or more
// statements.
func UsedParams(text string, values map[string]string) map[string]string {
	used := map[string]string{}
	lex(text, func(t token, from, to int) {
		if t != parameter {
			return
		}
		name := text[from+1 : to]
		if value, ok := values[name]; ok {
			used[name] = value
		}
	})
	return used
}
