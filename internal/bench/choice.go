package main

import (
	"fmt"
	"slices"
	"strings"
)

// rivalChoice is the set of rivals that take part.
type rivalChoice map[string]bool

func rivalNames() []string { return []string{"download", "read_json", "plain", "dlt", "ingestr"} }

// chooseRivals reads names separated by commas.
func chooseRivals(names string) (rivalChoice, error) {
	chosen := rivalChoice{}
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !slices.Contains(rivalNames(), name) {
			return nil, fmt.Errorf("no rival %q: there are %s", name, strings.Join(rivalNames(), ", "))
		}
		chosen[name] = true
	}
	return chosen, nil
}
