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
			Value: &durationValue{f.Value}}
	case *cli.IntFlag:
		return countFlag(&cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: f.DefaultText}, int64(f.Value))
	case *cli.Int64Flag:
		return countFlag(&cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: f.DefaultText}, f.Value)
	case *cli.Float64Flag:
		text := f.DefaultText
		if text == "" && f.Value != 0 {
			text = strconv.FormatFloat(f.Value, 'g', -1, 64)
		}
		return &cli.GenericFlag{Name: f.Name, Aliases: f.Aliases, Category: f.Category, Usage: f.Usage, DefaultText: text, Value: &numberValue{f.Value}}
	}
	return f
}

// countFlag completes an option that is a count with its default.
func countFlag(f *cli.GenericFlag, value int64) cli.Flag {
	count := &countValue{n: value}
	if value != 0 {
		count.example = strconv.FormatInt(value, 10)
		if f.DefaultText == "" {
			f.DefaultText = term.Thousands(value)
		}
	}
	f.Value = count
	return f
}

// durationValue is the value of an option that is a duration.
type durationValue struct{ d time.Duration }

func (v *durationValue) String() string { return v.d.String() }

func (v *durationValue) Set(text string) (err error) {
	v.d, err = human.Duration(text)
	return err
}

// countValue is the value of an option that is a whole number. example is one for this option, or "".
type countValue struct {
	n       int64
	example string
}

func (v *countValue) String() string { return strconv.FormatInt(v.n, 10) }

func (v *countValue) Set(text string) (err error) {
	v.n, err = human.Count(text)
	if wrong := (*human.Error)(nil); errors.As(err, &wrong) && !wrong.Likely && v.example != "" {
		wrong.Write = []string{v.example}
	}
	return err
}

// numberValue is the value of an option that is a number.
type numberValue struct{ f float64 }

func (v *numberValue) String() string { return strconv.FormatFloat(v.f, 'g', -1, 64) }

func (v *numberValue) Set(text string) (err error) {
	v.f, err = human.Number(text)
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
