package app

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"datasync/docs"
	"datasync/internal/human"
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
				return usage("explain takes one topic, but got %s as well; datasync explain lists them all", human.Shown(c.Args().Get(1)))
			}
			text := topicList(t.Width())
			if c.Args().Present() {
				var err error
				if text, err = topicText(c.Args().First()); err != nil {
					return err
				}
				text = wrapped(text, t.Width())
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

// topicList returns a line a topic, with the first line of its section, for a terminal of that width; 0 means no
// limit.
func topicList(width int) string {
	const margin = 16
	var b strings.Builder
	for _, topic := range topics {
		about, _, _ := strings.Cut(section(topic), "\n")
		_, _ = fmt.Fprintln(&b, term.Wrap(fmt.Sprintf("%-*s%s", margin, topic, about), width, margin))
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

// wrapped breaks the lines of a section that are wider than the terminal, 0 for no limit. It joins the lines of a
// paragraph or an item first, and leaves code and tables as they are.
func wrapped(section string, width int) string {
	if width <= 0 {
		return section
	}
	var b strings.Builder
	paragraph := ""
	end := func() {
		if paragraph != "" {
			indent := 0
			if strings.HasPrefix(paragraph, "- ") {
				indent = 2
			}
			_, _ = fmt.Fprintln(&b, term.Wrap(paragraph, width, indent))
		}
		paragraph = ""
	}
	for line := range strings.Lines(section) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "|"):
			end()
			_, _ = fmt.Fprintln(&b, line)
		case paragraph != "" && !item.MatchString(line):
			paragraph += " " + strings.TrimSpace(line)
		default:
			end()
			paragraph = line
		}
	}
	end()
	return b.String()
}

// item matches the first line of an item of a list.
var item = regexp.MustCompile(`^(-|\d+\.) `)
