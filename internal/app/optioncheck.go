package app

import (
	"slices"
	"strings"

	"datasync/internal/human"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// typed returns the value of an option as typed, in the form in which messages show it.
func typed(c *cli.Context, name string) string {
	if v, ok := c.Generic(name).(interface{ typed() string }); ok {
		return human.Shown(v.typed())
	}
	return human.Shown(c.String(name))
}

// notMoreThanZero is the error about an option whose value must be more than 0.
func notMoreThanZero(c *cli.Context, name, example string) error {
	return usage("--%s %s: must be more than 0; write %s", name, typed(c, name), example)
}

// notBetween is the error about an option whose value is out of its range.
func notBetween(c *cli.Context, name string, least, most int64) error {
	return usage("--%s %s is not between %s and %s", name, typed(c, name), term.Thousands(least), term.Thousands(most))
}

// choice reads an option that is one of some words, in any case.
func choice(c *cli.Context, name string, words []string) (string, error) {
	word := strings.ToLower(strings.TrimSpace(c.String(name)))
	if slices.Contains(words, word) {
		return word, nil
	}
	return "", usage("--%s %s is none of %s%s", name, typed(c, name), strings.Join(words, ", "), human.DidYouMean(word, words))
}

// withoutEmpty wraps the action of a command: it refuses an option whose value is empty, which a script
// makes of a variable that is not set. Without it, the option would have no effect.
func withoutEmpty(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		for _, f := range append(slices.Clone(c.Command.Flags), c.App.Flags...) {
			name := f.Names()[0]
			if _, isText := f.(*cli.StringFlag); isText && c.IsSet(name) && strings.TrimSpace(c.String(name)) == "" {
				return usage("--%s %s is empty; give it a value or omit it", name, typed(c, name))
			}
		}
		return action(c)
	}
}
