package export

import (
	"fmt"
	"math"
	"strings"
)

// folderPlan says which files an export to a folder has, and which rows each of them. It is
// made of SQL and values alone: it reads and writes nothing.
type folderPlan struct {
	src *source
	// columns is the SELECT list of all files.
	columns string
	keys    []partitionKey
	files   []outputFile
}

// outputFile is a file of the plan: all rows of a partition, or some.
type outputFile struct {
	partition *partition
	path      string // within the export, with slashes
	// first is the least number of the sort key in it, next the least one after it.
	first, next int64
}

// statement is SQL with its arguments.
type statement struct {
	sql  string
	args values
}

// planFolder names the files of all partitions. The prefix of their names tells them from those
// of other exports to the same folder.
func planFolder(l *Layout, src *source, names escaping, keys []partitionKey, partitions []partition, prefix string) folderPlan {
	plan := folderPlan{src: src, columns: l.list(src.columns), keys: keys}
	for i := range partitions {
		p := &partitions[i]
		folder := names.path(keys, p.values)
		bounds := append(append([]int64{p.first}, p.cuts...), p.last+1)
		for n := range len(bounds) - 1 {
			path := fmt.Sprintf("%s%s-%04d%s", folder, prefix, n, l.Format.extension(l.Compression))
			plan.files = append(plan.files, outputFile{p, path, bounds[n], bounds[n+1]})
		}
	}
	return plan
}

// cutAll divides partitions with more than a file's rows into files.
func cutAll(partitions []partition, samples map[string][]int64, fileRows int64) {
	for i := range partitions {
		if p := &partitions[i]; p.rows > fileRows {
			p.cut(samples[uniqueKey(p.values)], fileRows)
		}
	}
}

// cut divides the partition into files of about equal numbers of rows, by samples that ascend.
// Rows with the same number of the sort key stay in one file.
func (p *partition) cut(samples []int64, fileRows int64) {
	files := int(math.Ceil(float64(p.rows) / float64(fileRows)))
	before := p.first
	for i := 1; i < files; i++ {
		n := i * len(samples) / files
		if n < len(samples) && samples[n] > before {
			p.cuts = append(p.cuts, samples[n])
			before = samples[n]
		}
	}
}

const (
	// groupRows is how many rows of small files are sorted at once.
	groupRows = 300_000
	// groupFiles is how many files these are at most: the statement has arguments for each.
	groupFiles = 1000
)

// fileGroup is files that follow each other in the plan and are written by one session: a large
// one, or several small ones that are sorted at once.
type fileGroup struct {
	first int // the index of its first file in the plan
	files []outputFile
}

// groups divides the files of the plan.
func (plan *folderPlan) groups() []fileGroup {
	var all []fileGroup
	var rows int64
	for i, f := range plan.files {
		isWhole := len(f.partition.cuts) == 0
		if isWhole && len(all) > 0 {
			last := &all[len(all)-1]
			if len(last.files[0].partition.cuts) == 0 && rows+f.partition.rows <= groupRows && len(last.files) < groupFiles {
				last.files, rows = append(last.files, f), rows+f.partition.rows
				continue
			}
		}
		all, rows = append(all, fileGroup{i, []outputFile{f}}), f.partition.rows
	}
	return all
}

// rowsOf returns the SELECT of a file's rows, sorted.
func (plan *folderPlan) rowsOf(f *outputFile) statement {
	var args values
	conditions := plan.src.sort.between(f.first, f.next)
	for i, k := range plan.keys {
		conditions = append(conditions, k.value+" IS NOT DISTINCT FROM "+args.bind(&k, f.partition.values[i]))
	}
	return statement{plan.src.rows(plan.columns, conditions...) + " ORDER BY " + plan.src.sort.order, args}
}

// rowsOfGroup returns the SELECT of a group's rows, in the order of its files and sorted within
// each.
func (plan *folderPlan) rowsOfGroup(g *fileGroup) statement {
	aliases, joins := append([]string{"n"}, keyAliases(plan.keys)...), []string{}
	for i, k := range plan.keys {
		joins = append(joins, fmt.Sprintf("%s IS NOT DISTINCT FROM p.k%d", k.value, i))
	}
	var args values
	var table []string
	first, next := g.files[0].first, g.files[0].next
	for n, f := range g.files {
		row := fmt.Sprint("(", n)
		for i, k := range plan.keys {
			row += ", " + args.bind(&k, f.partition.values[i])
		}
		table = append(table, row+")")
		first, next = min(first, f.first), max(next, f.next)
	}
	src := plan.src
	return statement{fmt.Sprintf("SELECT %s FROM %s e JOIN (VALUES %s) p(%s) ON %s WHERE %s ORDER BY p.n, %s", plan.columns, src.relation,
		strings.Join(table, ", "), strings.Join(aliases, ", "), conjunction(joins...),
		conjunction(append(src.sort.between(first, next), src.where)...), src.sort.order), args}
}
