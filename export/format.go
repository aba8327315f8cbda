package export

import "strings"

// Format is a file format.
type Format int

// The formats.
const (
	Parquet Format = iota
	CSV
	JSONLines
)

// String returns the format's name in a manifest, which is also its file extension.
func (f Format) String() string { return [...]string{"parquet", "csv", "jsonl"}[f] }

// Compressions returns the compressions of a format, the default first.
func (f Format) Compressions() []string {
	if f == Parquet {
		return []string{"zstd", "snappy", "gzip", "lz4", "brotli", "none"}
	}
	return []string{"none", "gzip", "zstd"}
}

// extension returns the extension of files in a folder. Parquet compresses inside the file,
// so its extension does not name the compression.
func (f Format) extension(compression string) string {
	suffix := ""
	if f != Parquet {
		suffix = map[string]string{"gzip": ".gz", "zstd": ".zst"}[compression]
	}
	return "." + f.String() + suffix
}

// compressionOf returns the compression that a file name's extension asks for, empty for none.
func compressionOf(target string) string {
	n := strings.LastIndexByte(target, '.')
	if n < 0 {
		return ""
	}
	return map[string]string{".gz": "gzip", ".zst": "zstd"}[strings.ToLower(target[n:])]
}
