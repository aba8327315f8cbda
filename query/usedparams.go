package query

// ParamsOf returns the names of the parameters that a text uses, each as often as it does. The text is
// one or more statements.
func ParamsOf(text string) (names []string) {
	lex(text, func(t token, from, to int) {
		if t == parameter {
			names = append(names, text[from+1:to])
		}
	})
	return names
}

// UsedParams returns the values of the parameters that a text uses.
func UsedParams(text string, values map[string]string) map[string]string {
	used := map[string]string{}
	for _, name := range ParamsOf(text) {
		if value, ok := values[name]; ok {
			used[name] = value
		}
	}
	return used
}
