package report

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts text between the markers of a block in a Markdown file:
//
//	<!-- begin NAME: ... -->
//	<!-- end NAME -->
func Replace(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	replaced, err := replace(string(old), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(replaced), 0o644)
}

func replace(document, name, text string) (string, error) {
	begin, end := "<!-- begin "+name+":", "<!-- end "+name+" -->"
	from, to := strings.Index(document, begin), strings.Index(document, end)
	if from < 0 || to < from {
		return "", fmt.Errorf("no block from %q to %q", begin+" ... -->", end)
	}
	lineEnd := strings.IndexByte(document[from:to], '\n')
	if lineEnd < 0 {
		return "", fmt.Errorf("the marker %q has no line of its own", begin)
	}
	return document[:from+lineEnd+1] + "\n" + strings.TrimSpace(text) + "\n\n" + document[to:], nil
}
