package export

import (
	"database/sql"
	"fmt"
	"strings"
)

// Folders are named by Hive's convention, which DuckDB, pyarrow and Spark read.

// hiveNull is Hive's name for NULL.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// hivePath returns the folders of a partition, such as "day=2026-01-31/type=click/".
func hivePath(keys []partitionKey, values []sql.NullString) string {
	var b strings.Builder
	for i, k := range keys {
		b.WriteString(hiveName(k.name, values[i]) + "/")
	}
	return b.String()
}

// hiveName returns the folder of one value, such as "type=click".
func hiveName(key string, value sql.NullString) string {
	text := hiveNull
	if value.Valid {
		text = hiveEscape(value.String)
		if text == hiveNull || strings.EqualFold(text, "NULL") {
			// Readers would take this text for NULL.
			text = fmt.Sprintf("%%%02X%s", text[0], text[1:])
		}
	}
	return hiveEscape(key) + "=" + text
}

// hiveEscape writes every byte but ASCII letters, digits and -_. as %XX.
func hiveEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
