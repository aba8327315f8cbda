package app

import (
	"path/filepath"
	"strings"

	"datasync/export"
	"datasync/internal/human"
)

// fileEndings maps an ending of file names to the name of its format.
var fileEndings = map[string]string{
	".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".tsv": "tab-separated values", ".tab": "tab-separated values",
	".jsonl": "JSON Lines", ".ndjson": "JSON Lines", ".json": "JSON", ".xlsx": "Excel", ".xlsm": "Excel", ".xlsb": "Excel", ".xls": "Excel", ".ods": "OpenDocument",
	".arrow": "Arrow", ".feather": "Arrow", ".avro": "Avro", ".orc": "ORC", ".html": "HTML", ".htm": "HTML", ".md": "Markdown", ".xml": "XML",
	".zip": "ZIP", ".bz2": "bzip2", ".xz": "XZ", ".7z": "7-Zip", ".tar": "tar", ".tgz": "tar",
}

// compressedEndings are the endings that name a compression of export.
var compressedEndings = map[string]string{".gz": "gzip", ".zst": "zstd"}

// targetName is the name of a target, split into parts: in "a.csv.gz" the stem is "a".
type targetName struct{ stem, ending, packed string }

func splitTarget(path string) (n targetName) {
	n.stem = strings.TrimRight(path, "/")
	if ending := filepath.Ext(n.stem); compressedEndings[strings.ToLower(ending)] != "" {
		n.stem, n.packed = strings.TrimSuffix(n.stem, ending), strings.ToLower(ending)
	}
	if ending := filepath.Ext(n.stem); fileEndings[strings.ToLower(ending)] != "" {
		n.stem, n.ending = strings.TrimSuffix(n.stem, ending), strings.ToLower(ending)
	}
	return n
}

// checkEnding refuses a target whose ending contradicts its format or compression: other programs
// use the ending to choose a reader.
func checkEnding(e *export.Options) error {
	n := splitTarget(e.Target)
	if !fits(e, fileEndings[n.ending]) {
		return otherFormat(e, n)
	}
	packed := compressedEndings[n.packed]
	name := n.stem + n.ending
	switch {
	case packed != "" && e.Excel:
		return contradicts(e, "Excel opens no compressed file; name it %s", name)
	case packed != "" && e.Format == export.Parquet:
		return contradicts(e, "Parquet is compressed inside the file; name it %s, with --compression %s", n.stem+".parquet", packed)
	case packed != "" && e.Compression != "" && e.Compression != packed:
		return contradicts(e, "the ending %s contradicts --compression %s; omit it, or name the file %s", n.packed, e.Compression, name+suffixOf(e.Compression))
	case packed == "" && n.ending != "" && e.Format != export.Parquet && suffixOf(e.Compression) != "" && !e.IsFolder():
		return contradicts(e, "with --compression %s name it %s", e.Compression, name+suffixOf(e.Compression))
	}
	return nil
}

// otherFormat names what to use for a target with the ending of another format.
func otherFormat(e *export.Options, n targetName) error {
	kind, packed := fileEndings[n.ending], n.packed
	if e.Format == export.Parquet {
		packed = ""
	}
	want := n.stem + "." + e.Format.String() + packed
	if inner := fileEndings[strings.ToLower(filepath.Ext(n.stem))]; inner != "" && fits(e, inner) {
		if want = n.stem; e.Format != export.Parquet { // the ending is a compression, as in a.csv.zip
			want = n.stem + ".gz or " + n.stem + ".zst"
		}
	}
	switch kind {
	case "Parquet":
		return contradicts(e, "the ending %s means Parquet; use --parquet %s, or name it %s", n.ending, n.stem+".parquet", want)
	case "CSV":
		return contradicts(e, "the ending %s means CSV; use --csv %s, or name it %s", n.ending, n.stem+".csv"+n.packed, want)
	case "JSON Lines", "JSON":
		return contradicts(e, "the ending %s means %s; use --jsonl %s, or name it %s", n.ending, kind, n.stem+".jsonl"+n.packed, want)
	case "Excel", "OpenDocument":
		return contradicts(e, "export writes no %s; use --csv %s --excel, which spreadsheets open", n.ending, n.stem+".csv")
	case "tab-separated values":
		if e.Format == export.CSV {
			return contradicts(e, "the ending %s means %s; add --delimiter tab, or name it %s", n.ending, kind, want)
		}
	}
	return contradicts(e, "export writes no %s; name it %s", n.ending, want)
}

// contradicts returns an error about the target.
func contradicts(e *export.Options, why string, args ...any) error {
	return usage("--%s %s: "+why, append([]any{e.Format.String(), human.Shown(e.Target)}, args...)...)
}

// fits reports whether a file of that kind may have the format of an export.
func fits(e *export.Options, kind string) bool {
	switch kind {
	case "":
		return true
	case "Parquet":
		return e.Format == export.Parquet
	case "CSV":
		return e.Format == export.CSV
	case "tab-separated values":
		return e.Format == export.CSV && e.Delimiter == '\t'
	case "JSON Lines", "JSON": // many readers of JSON read its lines
		return e.Format == export.JSONLines
	}
	return false
}

// suffixOf returns the ending of a compression, empty for none.
func suffixOf(compression string) string {
	for suffix, name := range compressedEndings {
		if name == compression {
			return suffix
		}
	}
	return ""
}
