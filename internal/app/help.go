package app

import (
	"io"
	"slices"
	"strings"

	"datasync/internal/term"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

const (
	// helpWidth is the largest width of help.
	helpWidth = 80
	// widestOption is the largest width of an option and its value that leaves space for a text
	// beside it.
	widestOption = 26
)

// setHelp gives the program and its commands their help, for a terminal of this width; 0 is no
// terminal.
func setHelp(root *cli.App, width int) {
	if width <= 0 || width > helpWidth {
		width = helpWidth
	}
	width = max(width, 40)
	for _, command := range root.Commands {
		command.Category = pageOf(command).part
		command.CustomHelpTemplate = literally(commandHelp(root, command, width))
	}
	root.CustomAppHelpTemplate = literally(programHelp(root, width))
	root.Action = func(c *cli.Context) error {
		if c.Args().Present() {
			return unknownCommand(c.App, c.Args().First())
		}
		_, err := io.WriteString(root.Writer, overview(root, width))
		return err
	}
}

// literally returns a template that prints the text.
func literally(text string) string { return strings.ReplaceAll(text, "{{", `{{"{{"}}`) }

// pageOf returns the help of a command, which is empty for an unknown one.
func pageOf(command *cli.Command) helpPage {
	for _, page := range helpPages() {
		if page.command == command.Name {
			return page
		}
	}
	return helpPage{}
}

// overview returns the text of datasync without a command: the commands by purpose.
func overview(root *cli.App, width int) string {
	var b strings.Builder
	writeWrapped(&b, width, "", "", capital(root.Usage)+".")
	b.WriteString("\n")
	margin, name := 7, 0
	for _, command := range root.Commands {
		name = max(name, len(command.Name))
	}
	writeWrapped(&b, width, text.Pad("Try", margin, ' '), strings.Repeat(" ", margin), tryIt)
	for _, part := range helpParts {
		lead := part
		for _, command := range root.Commands {
			if command.Category != part {
				continue
			}
			line := text.Pad(lead, margin, ' ') + text.Pad(command.Name, name+2, ' ')
			writeWrapped(&b, width, line, strings.Repeat(" ", len(line)), capital(command.Usage))
			lead = ""
		}
	}
	b.WriteString("\n")
	writeWrapped(&b, width, "", "", "Options: datasync help COMMAND. Errors: datasync explain TOPIC.")
	return b.String()
}

// programHelp returns the help of the program: the overview, the options of all commands, and the
// exit codes.
func programHelp(root *cli.App, width int) string {
	var b strings.Builder
	b.WriteString(overview(root, width))
	b.WriteString("\nOptions of all commands\n")
	flags := append(root.Flags[:len(root.Flags):len(root.Flags)], cli.VersionFlag)
	writeOptions(&b, width, optionMargin(width, flags), flags)
	b.WriteString("\nExit codes\n")
	for _, exit := range exitCodes {
		writeWrapped(&b, width, "  "+text.Pad(exit.code, 5, ' '), strings.Repeat(" ", 7), exit.meaning)
	}
	return b.String()
}

// commandHelp returns the help of a command: what it is for, examples, and options in groups.
func commandHelp(root *cli.App, command *cli.Command, width int) string {
	var b strings.Builder
	page := pageOf(command)
	writeWrapped(&b, width, "", "", capital(command.Usage)+".")
	if command.Description != "" {
		writeWrapped(&b, width, "", "", command.Description)
	}
	b.WriteString("\nExamples\n")
	writeExamples(&b, width, page.examples)
	b.WriteString("\nUsage\n")
	writeWrapped(&b, width, "  ", "    ", strings.TrimSpace("datasync "+command.Name+" [options] "+command.ArgsUsage))
	flags := append(command.Flags[:len(command.Flags):len(command.Flags)], root.Flags...)
	for _, group := range groupOptions(page, flags) {
		b.WriteString("\n" + group.title + "\n")
		writeOptions(&b, width, optionMargin(width, flags), group.flags)
	}
	return b.String()
}

// writeExamples writes each example in a line, or in two if they are too wide.
func writeExamples(b *strings.Builder, width int, examples []helpExample) {
	command, all := 0, 0
	for _, e := range examples {
		command = max(command, text.StringWidth(e.command))
	}
	for _, e := range examples {
		all = max(all, command+4+text.StringWidth(e.about))
	}
	for _, e := range examples {
		lead := "  " + text.Pad(e.command, command, ' ') + "  "
		if all > width {
			b.WriteString("  " + e.command + "\n")
			lead = "      "
		}
		writeWrapped(b, width, lead, "      ", e.about)
	}
}

// optionGroup is a heading of a command's help with its options.
type optionGroup struct {
	title string
	flags []cli.Flag
}

// groupOptions sorts options into the groups of a page, in the page's order. An option that the page
// does not name is in the group of its own category.
func groupOptions(page helpPage, flags []cli.Flag) (groups []optionGroup) {
	add := func(title string, f cli.Flag) {
		for i := range groups {
			if groups[i].title == title {
				groups[i].flags = append(groups[i].flags, f)
				return
			}
		}
		groups = append(groups, optionGroup{title, []cli.Flag{f}})
	}
	placed := map[string]bool{"help": true}
	for _, group := range page.groups {
		for _, name := range strings.Fields(group.options) {
			if f := optionNamed(flags, name); f != nil && !placed[name] {
				add(group.title, f)
				placed[name] = true
			}
		}
	}
	for _, f := range flags {
		if name := f.Names()[0]; !placed[name] {
			title := "Options"
			if c, ok := f.(cli.CategorizableFlag); ok && c.GetCategory() != "" {
				title = c.GetCategory()
			}
			add(title, f)
			placed[name] = true
		}
	}
	return groups
}

// optionMargin returns the width of the column of options. On a narrow terminal the texts are on lines
// of their own.
func optionMargin(width int, flags []cli.Flag) (margin int) {
	if width < 60 {
		return 2
	}
	for _, f := range flags {
		if n := text.StringWidth(optionForm(f)); n <= widestOption {
			margin = max(margin, n)
		}
	}
	return margin
}

// writeOptions writes a line for each option, which is wrapped if its text is long.
func writeOptions(b *strings.Builder, width, longest int, flags []cli.Flag) {
	indent := strings.Repeat(" ", longest+4)
	for _, f := range flags {
		lead := "  " + text.Pad(optionForm(f), longest, ' ') + "  "
		if len(lead) > len(indent) {
			b.WriteString(strings.TrimRight(lead, " ") + "\n")
			lead = indent
		}
		writeWrapped(b, width, lead, indent, optionText(f))
	}
}

// optionForm returns an option as users write it: --page-size N, --quiet, -q.
func optionForm(f cli.Flag) string {
	var names []string
	for _, name := range f.Names() {
		names = append(names, dashed(name))
	}
	form := strings.Join(names, ", ")
	if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() {
		value, _ := placeholder(d.GetUsage())
		form += " " + value
	}
	return form
}

// optionText returns what an option does, with its default in brackets.
func optionText(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	_, about := placeholder(d.GetUsage())
	if value := defaultOf(f); value != "" {
		about += " [" + value + "]"
	}
	return term.Visible(capital(about))
}

// placeholder returns the word in backquotes for the value, and the text without the
// backquotes.
func placeholder(usage string) (value, about string) {
	parts := strings.SplitN(usage, "`", 3)
	if len(parts) < 3 {
		return "VALUE", usage
	}
	return parts[1], parts[0] + parts[1] + parts[2]
}

// defaultOf returns the default of an option, or "". That of --base-url comes from the environment and
// may contain a password.
func defaultOf(f cli.Flag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		if f.DefaultText == "" && !slices.Contains(f.Names(), "base-url") {
			return f.Value
		}
		return f.DefaultText
	case *cli.GenericFlag:
		return f.DefaultText
	}
	return ""
}

// capital returns the text with its first letter capitalized.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
