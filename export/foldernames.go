package export

import (
	"cmp"
	"crypto/md5"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"datasync/internal/human"
	"datasync/internal/owned"
)

// namesName is the name of the folder in which an export tries names.
const namesName = "names.tmp"

// checkKeyNames fails with ErrOptions if readers would miss a key. They skip folders that begin
// with _ or a dot, and not all of them decode a column's name.
func checkKeyNames(keys []partitionKey) error {
	for _, k := range keys {
		if strings.HasPrefix(k.name, "_") || strings.HasPrefix(k.name, ".") {
			return invalid("readers skip folders whose name begins like %q: rename the column in the query, by AS", brief(k.name))
		}
		if escapeHive.escape(k.name) != k.name {
			return invalid("the name of column %q has characters that are escaped in folders' names, where readers do not find it: rename it in the query, by AS", brief(k.name))
		}
	}
	return nil
}

// folderNames are the names that an export gives to folders.
type folderNames struct {
	escaping
	src        *source
	where      string // the user's condition
	keys       []partitionKey
	partitions []partition
	// added are the files to which the export adds, nil if the folder is new.
	added []manifestFile
}

// check fails with ErrOptions if the file system refuses a name, changes it, or does not distinguish
// it from another one. Only the file system knows, so check tries the names in a folder. An addition
// would find out too late: it makes folders after its pending manifest, which cannot be undone.
func (n *folderNames) check(dir *owned.Dir) error {
	for i := range n.keys {
		names := n.namesOf(i)
		if arePlain(names) {
			continue
		}
		folder, err := dir.New(namesName)
		if err != nil {
			return err
		}
		err = n.try(emptyFolder{folder}, i, names)
		if err = errors.Join(err, dir.RemoveAll(folder, namesName), folder.Close()); err != nil {
			return err
		}
	}
	return nil
}

// names are the folders in a folder.
type names interface {
	// make makes a folder, which must not exist.
	make(name string) error
	// areSame reports whether both names open the same folder.
	areSame(a, b string) bool
	// list returns the names as a reader finds them, unordered.
	list() ([]string, error)
}

// emptyFolder is a folder in which an export tries names.
type emptyFolder struct{ *owned.Dir }

func (d emptyFolder) make(name string) error {
	folder, err := d.New(name)
	if err != nil {
		return err
	}
	return folder.Close()
}

func (d emptyFolder) areSame(a, b string) bool {
	infoA, errA := d.Lstat(a)
	infoB, errB := d.Lstat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

func (d emptyFolder) list() ([]string, error) {
	entries, err := d.Entries()
	found := make([]string, len(entries))
	for i, e := range entries {
		found[i] = e.Name()
	}
	return found, err
}

// folderName is the name of the folder of one value.
type folderName struct {
	name  string
	value sql.NullString
	rows  int64 // of this export
}

// arePlain reports whether every file system accepts the names unchanged and distinguishes them.
// Then the export need not try them.
func arePlain(names []*folderName) bool {
	folded := map[string]bool{}
	for _, f := range names {
		lower := strings.ToLower(f.name)
		if !f.isPlain() || folded[lower] {
			return false
		}
		folded[lower] = true
	}
	return true
}

// isPlain reports whether every file system accepts the name unchanged.
func (f *folderName) isPlain() bool {
	const most = 100 // bytes: the least limit of a file system with long names is 143
	return len(f.name) <= most && !strings.HasSuffix(f.name, ".") && !strings.HasSuffix(f.name, " ") && strings.IndexFunc(f.name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.= %+,@", r)
	}) < 0
}

// namesOf returns the names of a key's folders, each once, the longest first.
func (n *folderNames) namesOf(key int) []*folderName {
	all := map[string]*folderName{}
	for _, f := range n.added {
		name := strings.Split(f.Path, "/")[key]
		_, text, _ := strings.Cut(name, "=")
		all[name] = &folderName{name: name, value: sql.NullString{String: text, Valid: true}}
	}
	for _, p := range n.partitions {
		name := n.name(n.keys[key].name, p.values[key])
		if all[name] == nil {
			all[name] = &folderName{name: name}
		}
		all[name].value, all[name].rows = p.values[key], all[name].rows+p.rows
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *folderName) int {
		return cmp.Or(len(b.name)-len(a.name), strings.Compare(a.name, b.name))
	})
}

// try makes the folders of a key.
func (n *folderNames) try(in names, key int, wanted []*folderName) error {
	var refused, made []*folderName
	var why error
	for _, f := range wanted {
		err := in.make(f.name)
		switch {
		case err == nil:
			made = append(made, f)
		case errors.Is(err, fs.ErrExist):
			return n.sharedError(in, key, f, made)
		case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EILSEQ):
			refused = append(refused, f)
			why = err
		default:
			return err
		}
	}
	if len(refused) > 0 {
		return n.refusedError(key, refused, made, why)
	}
	found, err := in.list()
	if err != nil {
		return err
	}
	for _, f := range made {
		if !slices.Contains(found, f.name) {
			return invalid("the file system of the target changes a folder's name, so that readers find another value of %s than %q: export to another file system, or change the value in a query",
				n.keys[key].name, brief(f.value.String))
		}
	}
	return nil
}

// sharedError says that the file system does not distinguish a name from an earlier one.
func (n *folderNames) sharedError(in names, key int, f *folderName, made []*folderName) error {
	other := slices.IndexFunc(made, func(m *folderName) bool { return in.areSame(m.name, f.name) })
	if other < 0 {
		return fmt.Errorf("export: the folder %q exists", brief(f.name))
	}
	return invalid("two values of %s would share a folder, because the target's file system treats %q and %q as the same name: export to another file system, or change one of them in a query",
		n.keys[key].name, brief(f.value.String), brief(made[other].value.String))
}

// refusedError names the longest value that the file system refuses, the number of rows with such
// values, and a condition that excludes them.
func (n *folderNames) refusedError(key int, refused, made []*folderName, why error) error {
	longest, rows := refused[0].value.String, int64(0)
	for _, f := range refused {
		rows += f.rows
	}
	what, problem := "event", "cannot be the name of a folder on the file system of the target"
	if errors.Is(why, syscall.ENAMETOOLONG) {
		problem = "is too long for a folder's name"
	}
	if n.src.isQuery {
		what = "row"
	}
	have := human.Counted(rows, what) + " have"
	if rows == 1 {
		have = "1 " + what + " has"
	}
	values := "it"
	if len(refused) > 1 {
		values = fmt.Sprintf("one of %s such values", human.Thousands(int64(len(refused))))
	}
	condition := n.without(key, refused, made)
	where := "--where " + shellQuoted(condition)
	switch {
	case n.src.isQuery:
		where = "a WHERE in the query, such as " + condition
	case n.where != "":
		where = "--where " + shellQuoted("("+n.where+") AND "+condition)
	}
	if n.added != nil {
		where += ", which needs another folder or --force"
	}
	return invalid("a value of %s %s: %q, of %s bytes; %s %s; partition by something else, or leave them out with %s",
		n.keys[key].name, problem, brief(longest), human.Thousands(int64(len(longest))), have, values, where)
}

// without returns a condition that excludes the rows with refused values, and only those if a short
// condition can do that.
func (n *folderNames) without(key int, refused, made []*folderName) string {
	text := "CAST(" + identifier(n.keys[key].name) + " AS VARCHAR)"
	shortest, hashes := len(refused[0].value.String), []string{}
	for _, f := range refused {
		shortest = min(shortest, len(f.value.String))
		hashes = append(hashes, fmt.Sprintf("'%x'", md5.Sum([]byte(f.value.String))))
	}
	const most = 5 // hashes that a message can show
	isLonger := func(f *folderName) bool { return f.rows > 0 && f.value.Valid && len(f.value.String) >= shortest }
	if len(refused) <= most && slices.ContainsFunc(made, isLonger) {
		return "coalesce(md5(" + text + "), '') NOT IN (" + strings.Join(hashes, ", ") + ")"
	}
	return fmt.Sprintf("coalesce(strlen(%s), 0) < %d", text, shortest)
}

// shellQuoted returns a text as one argument of a shell command.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// path returns the folders of a partition, such as "day=2026-01-31/type=click/".
func (e escaping) path(keys []partitionKey, values []sql.NullString) string {
	var b strings.Builder
	for i, k := range keys {
		b.WriteString(e.name(k.name, values[i]) + "/")
	}
	return b.String()
}
