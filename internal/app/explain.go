package app

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"datasync/docs"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

func (p *program) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "say what to do after a failure, by the topic that its line names", ArgsUsage: "[TOPIC]",
		Description: "Without TOPIC it lists them.",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "no-pager", Usage: "do not page what is longer than the screen (DATASYNC_PAGER, PAGER)"}},
		Action:      p.explain,
	}
}

func (p *program) explain(c *cli.Context) error {
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
	out := p.paged(c.Bool("no-pager"))
	_, err := io.WriteString(out, text)
	return out.end(err)
}

// topicList says of each topic what it is about.
func topicList() string {
	var b strings.Builder
	for _, t := range topics {
		about, _, _ := strings.Cut(section(t.name), "\n")
		_, _ = fmt.Fprintf(&b, "%-16s%s\n", t.name, about)
	}
	return b.String()
}

// topicText is the section of that name.
func topicText(name string) (string, error) {
	name = strings.ToLower(name)
	var near []string
	for _, t := range topics {
		switch {
		case t.name == name:
			return t.name + "\n\n" + section(name), nil
		case alike(t.name, name):
			near = append(near, t.name)
		}
	}
	text := fmt.Sprintf("no topic %q", name)
	if len(near) > 0 {
		text += "; near it are " + strings.Join(near, ", ")
	}
	return "", usageError{errors.New(text + "; datasync explain lists them all")}
}

// alike reports whether whoever wrote a name may have meant the topic.
func alike(topic, name string) bool {
	for word := range strings.SplitSeq(name, "-") {
		if len(word) > 2 && strings.Contains(topic, word) {
			return true
		}
	}
	return smetrics.JaroWinkler(topic, name, 0.7, 4) > 0.85
}

// reference is one from a section to another.
var reference = regexp.MustCompile(`\[([^\]]+)\]\(#[^)]+\)`)

// section returns the text of a topic in docs/operations.md, without its heading; empty
// where there is none.
func section(name string) string {
	_, text, _ := strings.Cut("\n"+docs.Operations, "\n## "+name+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	text = strings.TrimSpace(reference.ReplaceAllString(text, "$1"))
	if text == "" {
		return ""
	}
	return text + "\n"
}
