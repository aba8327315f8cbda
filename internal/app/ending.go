package app

import (
	"path/filepath"
	"strings"

	"datasync/export"
)

// fileEndings are the endings of file names that name one format, and the name of that format.
var fileEndings = map[string]string{
	".parquet": "Parquet", ".pq": "Parquet", ".csv": "CSV", ".tsv": "tab-separated values", ".tab": "tab-separated values",
	".jsonl": "JSON Lines", ".ndjson": "JSON Lines", ".json": "JSON", ".xlsx": "Excel", ".xlsm": "Excel", ".xlsb": "Excel", ".xls": "Excel", ".ods": "OpenDocument",
	".arrow": "Arrow", ".feather": "Arrow", ".avro": "Avro", ".orc": "ORC", ".html": "HTML", ".htm": "HTML", ".md": "Markdown", ".xml": "XML",
	".zip": "ZIP", ".bz2": "bzip2", ".xz": "XZ", ".7z": "7-Zip", ".tar": "tar", ".tgz": "tar",
}

// compressedEndings are the endings that name a compression of export.
var compressedEndings = map[string]string{".gz": "gzip", ".zst": "zstd"}

// checkEnding refuses a target whose name says that it has another format or compression than it
// gets: other programs choose how to read a file by its ending.
func checkEnding(e *export.Options) error {
	option := "--" + e.Format.String()
	name := e.Target
	packed := compressedEndings[endingOf(name)]
	plain := strings.TrimRight(name, "/")
	if packed != "" {
		plain = name[:len(name)-len(endingOf(name))]
	}
	stem := plain
	has := fileEndings[endingOf(plain)]
	if has != "" {
		stem = plain[:len(plain)-len(endingOf(plain))]
	}
	want := stem + "." + e.Format.String()
	switch {
	case has == "Excel", has == "OpenDocument":
		return usage("%s %s: export writes no %s; use --csv %s --excel, which spreadsheets open", option, name, endingOf(plain), stem+".csv")
	case !fits(e, has):
		if own := map[string]string{"Parquet": "parquet", "CSV": "csv", "JSON Lines": "jsonl", "JSON": "jsonl"}[has]; own != "" {
			return usage("%s %s: the ending %s means %s; use --%s %s, or name it %s", option, name, endingOf(plain), has, own, stem+"."+own, want)
		}
		if has == "tab-separated values" && e.Format == export.CSV {
			return usage("%s %s: the ending %s means %s; add --delimiter tab, or name it %s", option, name, endingOf(plain), has, want)
		}
		if inner := fileEndings[endingOf(stem)]; inner != "" && fits(e, inner) && e.Format != export.Parquet {
			want = stem + ".gz or " + stem + ".zst"
		}
		return usage("%s %s: export writes no %s; name it %s", option, name, endingOf(plain), want)
	case packed != "" && e.Format == export.Parquet:
		return usage("%s %s: Parquet is compressed inside the file; name it %s, with --compression %s", option, name, want, packed)
	case packed != "" && e.Compression != "" && e.Compression != packed:
		return usage("%s %s: the ending %s contradicts --compression %s; omit it, or name the file %s", option, name, endingOf(name), e.Compression, plain+suffixOf(e.Compression))
	case packed == "" && has != "" && e.Format != export.Parquet && suffixOf(e.Compression) != "" && !e.IsFolder():
		return usage("%s %s: with --compression %s name it %s", option, name, e.Compression, plain+suffixOf(e.Compression))
	}
	return nil
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

// endingOf returns the ending of a path, in lower case.
func endingOf(path string) string { return strings.ToLower(filepath.Ext(strings.TrimRight(path, "/"))) }

// suffixOf returns the ending of a compression, empty for none.
func suffixOf(compression string) string {
	for suffix, name := range compressedEndings {
		if name == compression {
			return suffix
		}
	}
	return ""
}
