package export

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Folders are named by Hive's convention, which DuckDB, pyarrow and Spark read.

// hiveNull is Hive's name for NULL.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// escaping says which bytes of a folder's name are written as %XX. The manifest records it, and a
// folder keeps it for all names.
type escaping string

const (
	// escapeAll escapes every byte but ASCII letters, digits and -_. as version 0.2.0 did. Spark
	// and Hive read the bytes of an escaped é as two characters. A manifest without a record
	// implies it.
	escapeAll escaping = ""
	// escapeHive escapes what Hive's FileUtils.charToEscape and Spark's ExternalCatalogUtils
	// do. All other characters are UTF-8.
	escapeHive escaping = "hive"
)

// hiveSpecial are the printable characters that Hive escapes.
const hiveSpecial = `"#%'*/:=?\{[]^`

// isPlain reports whether a byte of a name is not escaped.
func (e escaping) isPlain(c byte) bool {
	if e == escapeHive {
		return c >= ' ' && c != 0x7f && strings.IndexByte(hiveSpecial, c) < 0
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.", c) >= 0
}

// isKnown reports whether this program knows the escaping.
func (e escaping) isKnown() bool { return e == escapeAll || e == escapeHive }

// name returns the folder of one value, such as "type=click".
func (e escaping) name(key string, value sql.NullString) string {
	text := hiveNull
	if value.Valid {
		text = e.escape(value.String)
		if text == hiveNull || strings.EqualFold(text, "NULL") {
			// Readers would take this text for NULL.
			text = fmt.Sprintf("%%%02X%s", text[0], text[1:])
		}
	}
	return e.escape(key) + "=" + text
}

// escape writes every byte that is not plain as %XX.
func (e escaping) escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if e.isPlain(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// couldName reports whether a folder of that name could be one of a key.
func (e escaping) couldName(name, key string) bool {
	column, text, _ := strings.Cut(name, "=")
	unescaped, err := url.PathUnescape(column)
	if err != nil || !strings.EqualFold(unescaped, key) {
		return false
	}
	value := sql.NullString{Valid: text != hiveNull}
	if value.String, err = url.PathUnescape(text); err != nil {
		return false
	}
	return utf8.ValidString(name) && utf8.ValidString(value.String) && e.name(unescaped, value) == name
}
