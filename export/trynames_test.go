package export

import (
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// otherNames are the folders of a file system that this machine may not have.
type otherNames struct {
	fold  func(string) string // equal names are one folder
	keep  func(string) string // as a reader finds them
	bad   string              // characters that it refuses
	found map[string]string
}

func (n *otherNames) make(name string) error {
	switch {
	case strings.ContainsAny(name, n.bad):
		return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.EINVAL}
	case n.found[n.fold(name)] != "":
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	n.found[n.fold(name)] = n.keep(name)
	return nil
}

func (n *otherNames) areSame(a, b string) bool { return n.fold(a) == n.fold(b) }

func (n *otherNames) list() (names []string, err error) {
	for _, name := range n.found {
		names = append(names, name)
	}
	return names, nil
}

// TestNamesOnOtherFileSystems: some file systems ignore case, some characters, or dots at the end
// of a name. Then an export fails before it writes anything.
func TestNamesOnOtherFileSystems(t *testing.T) {
	same := func(s string) string { return s }
	trim := func(s string) string { return strings.TrimRight(s, " .") }
	for name, tc := range map[string]struct {
		fold, keep func(string) string
		bad        string
		values     []string
		want       string
	}{
		"case-sensitive":     {same, same, "", []string{"Click", "click", "a."}, ""},
		"case-insensitive":   {strings.ToLower, same, "", []string{"view", "Click", "click"}, `treats "click" and "Click" as the same name`},
		"one case":           {strings.ToLower, same, "", []string{"Click", "vièw"}, ""},
		"no dots at the end": {trim, trim, "", []string{"a", "a."}, `treats "a" and "a." as the same name`},
		"changed":            {same, trim, "", []string{"a."}, `another value of type than "a."`},
		"refused":            {same, same, "<>", []string{"a", "b<c"}, `a value of type cannot be the name of a folder on the file system of the target: "b<c", of 3 bytes; 7 events have it; `},
		"as exported before": {strings.ToLower, same, "", []string{"OLD"}, `treats "old" and "OLD" as the same name`},
	} {
		t.Run(name, func(t *testing.T) {
			n := folderNames{escaping: escapeHive, src: &source{}, keys: []partitionKey{{name: "type"}}, added: []manifestFile{{Path: "type=old/a.parquet"}}}
			for _, v := range tc.values {
				n.partitions = append(n.partitions, partition{values: []sql.NullString{{String: v, Valid: true}}, rows: 7})
			}
			names := n.namesOf(0)
			if arePlain(names) {
				t.Fatal("the names are not tried")
			}
			err := n.try(&otherNames{tc.fold, tc.keep, tc.bad, map[string]string{}}, 0, names)
			if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestPlainNames: an export tries all names except those that every file system accepts and
// distinguishes.
func TestPlainNames(t *testing.T) {
	for names, want := range map[string]bool{
		"day=2026-01-31": true, "type=page_view": true, "hour=2026-01-31T12": true, "type=Click": true, "type=é": false, "type=a.": false, "type=a b": true, "type=a ": false, "type=%2F": true,
		"type=a<": false, "type=" + strings.Repeat("a", 200): false, "type=Click/type=View": true, "type=Click/type=click": false,
	} {
		var all []*folderName
		for _, name := range strings.Split(names, "/") {
			all = append(all, &folderName{name: name})
		}
		if arePlain(all) != want {
			t.Errorf("%s: %v", names, !want)
		}
	}
}
