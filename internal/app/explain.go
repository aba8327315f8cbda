package app

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"datasync/docs"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

func explainCommand(t term.IO) *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "show what to do about an error, by its topic", ArgsUsage: "[TOPIC]",
		Description: "Without TOPIC it lists all topics.",
		Flags:       []cli.Flag{noPagerFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 1 {
				return usage("explain takes one topic, but got %d", c.Args().Len())
			}
			text := topicList()
			if c.Args().Present() {
				var err error
				if text, err = topicText(c.Args().First()); err != nil {
					return err
				}
			}
			out := resultOutput(t, c)
			_, err := io.WriteString(out, text)
			return out.End(err)
		},
	}
}

// noPagerFlag is the option of commands whose result may be longer than the screen.
func noPagerFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-pager", Usage: "do not show long results in a pager (DATASYNC_PAGER, PAGER)"}
}

// resultOutput returns stdout, through the pager unless --no-pager is given.
func resultOutput(t term.IO, c *cli.Context) term.Output {
	if c.Bool("no-pager") {
		return term.Plain{Writer: t.Stdout}
	}
	return t.Paged()
}

// topicList returns a line a topic, with the first sentence of its section.
func topicList() string {
	var b strings.Builder
	for _, topic := range topics {
		about, _, _ := strings.Cut(section(topic), "\n")
		_, _ = fmt.Fprintf(&b, "%-16s%s\n", topic, about)
	}
	return b.String()
}

// topicText returns the section of that name, in any case. Of an unknown name it suggests
// similar topics.
func topicText(name string) (string, error) {
	name = strings.ToLower(name)
	var near []string
	for _, topic := range topics {
		switch {
		case topic == name:
			return topic + "\n\n" + section(name), nil
		case similar(topic, name):
			near = append(near, topic)
		}
	}
	text := fmt.Sprintf("no topic %q", name)
	if len(near) > 0 {
		text += "; similar ones are " + strings.Join(near, ", ")
	}
	return "", usageError{errors.New(text + "; datasync explain lists them all")}
}

// similar reports whether someone who typed name may have meant the topic.
func similar(topic, name string) bool {
	for word := range strings.SplitSeq(name, "-") {
		if len(word) > 2 && strings.Contains(topic, word) {
			return true
		}
	}
	return smetrics.JaroWinkler(topic, name, 0.7, 4) > 0.85
}

// reference matches a link from one section to another.
var reference = regexp.MustCompile(`\[([^\]]+)\]\(#[^)]+\)`)

// section returns the text of a topic in docs/operations.md without its heading, or "" if there
// is no such section.
func section(topic string) string {
	_, text, _ := strings.Cut("\n"+docs.Operations, "\n## "+topic+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	text = strings.TrimSpace(reference.ReplaceAllString(text, "$1"))
	if text == "" {
		return ""
	}
	return text + "\n"
}
