package app

import (
	"errors"
	"strconv"
	"time"

	"datasync/internal/human"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// understanding returns an option that reads durations, counts and numbers as people write them. Its
// value stays readable to the library, which parses the text that String returns.
func understanding(f cli.Flag) cli.Flag {
	switch f := f.(type) {
	case *cli.BoolFlag:
		f.DisableDefaultText = true // it is always false
	case *cli.DurationFlag:
		return &cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: f.DefaultText,
			Value: &durationValue{d: f.Value}}
	case *cli.IntFlag:
		return countFlag(&cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: f.DefaultText}, int64(f.Value))
	case *cli.Int64Flag:
		return countFlag(&cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: f.DefaultText}, f.Value)
	case *cli.Float64Flag:
		text := f.DefaultText
		if text == "" && f.Value != 0 {
			text = strconv.FormatFloat(f.Value, 'g', -1, 64)
		}
		return &cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: text, Value: &numberValue{f: f.Value}}
	}
	return f
}

// countExamples are values of the options that are a count and have no default.
var countExamples = map[string]string{"max-rows": "100", "outside-status": "418", "access-limit": "20"}

// countFlag completes an option that is a count with its default.
func countFlag(f *cli.GenericFlag, value int64) cli.Flag {
	count := &countValue{n: value, example: countExamples[f.Name]}
	if value != 0 {
		count.example = strconv.FormatInt(value, 10)
		if f.DefaultText == "" {
			f.DefaultText = term.Thousands(value)
		}
	}
	f.Value = count
	return f
}

// asTyped is the text of a value on the command line.
type asTyped struct{ text string }

// keep keeps the text of a value that was read. The library sets an option with two names again, to the
// text that String returns; then isSame says that the value stays the same.
func (a *asTyped) keep(text string, isSame bool) {
	if a.text == "" || !isSame {
		a.text = text
	}
}

func (a *asTyped) typed() string { return a.text }

// durationValue is the value of an option that is a duration.
type durationValue struct {
	d time.Duration
	asTyped
}

func (v *durationValue) String() string { return v.d.String() }

func (v *durationValue) Set(text string) (err error) {
	before := v.d
	v.d, err = human.Duration(text)
	v.keep(text, v.d == before)
	return err
}

// countValue is the value of an option that is a whole number. example is one for this option, or "".
type countValue struct {
	n       int64
	example string
	asTyped
}

func (v *countValue) String() string { return strconv.FormatInt(v.n, 10) }

func (v *countValue) Set(text string) (err error) {
	before := v.n
	v.n, err = human.Count(text)
	v.keep(text, v.n == before)
	if wrong := (*human.Error)(nil); errors.As(err, &wrong) && (!wrong.Likely || wrong.Problem == human.TooLarge) && v.example != "" {
		wrong.Write = []string{v.example}
	}
	return err
}

// numberValue is the value of an option that is a number.
type numberValue struct {
	f float64
	asTyped
}

func (v *numberValue) String() string { return strconv.FormatFloat(v.f, 'g', -1, 64) }

func (v *numberValue) Set(text string) (err error) {
	before := v.f
	v.f, err = human.Number(text)
	v.keep(text, v.f == before)
	return err
}

// saysWhy reports whether errors about the option's value begin with that value and suggest a valid
// one.
func saysWhy(f cli.Flag) bool {
	g, ok := f.(*cli.GenericFlag)
	if !ok {
		return false
	}
	switch g.Value.(type) {
	case *durationValue, *countValue, *numberValue:
		return true
	}
	return false
}
