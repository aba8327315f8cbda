package export

// Types is the set of types of the values in Parquet files.
type Types string

// The sets of types. The zero value means the set of the folder to which an export adds, otherwise
// Portable.
const (
	// Portable has the types that every reader accepts. UUIDs, JSON and values of other types that
	// only some readers know are text.
	Portable Types = "portable"
	// Logical has Parquet's logical types for UUIDs, JSON, enumerations and times.
	Logical Types = "logical"
	// logicalWithText is Logical with UUIDs as text. Only folders of earlier versions have it.
	logicalWithText Types = "logical with UUIDs as text"
)

// The values of Layout.UUID.
const (
	uuidLogical = "uuid"
	uuidText    = "string"
)

// typesOf returns the set of types for an export that adds to files of the set existing, which is
// empty for a new target. If the manifest records no set, an earlier version wrote it, whose option
// for UUIDs had another meaning.
func (l *Layout) typesOf(existing Types, isRecorded bool) Types {
	switch {
	case l.Format != Parquet:
		return ""
	case l.Types != "":
		return l.Types
	case l.UUID == uuidLogical:
		return Logical
	case l.UUID == uuidText && existing != "" && !isRecorded:
		return logicalWithText
	case l.UUID == uuidText || existing == "":
		return Portable
	}
	return existing
}

// completeTypes validates the types. It fails with ErrOptions.
func (l *Layout) completeTypes() error {
	switch {
	case l.Format != Parquet && l.Types != "":
		return invalid("types are for Parquet: %s has only text and numbers", l.Format)
	case l.Format != Parquet && l.UUID == uuidText:
		return invalid("only Parquet has more than one type of UUIDs")
	case l.Types != "" && l.UUID != "":
		return invalid("the types already say how UUIDs are written: give only the types")
	case l.Types != "" && l.Types != Portable && l.Types != Logical:
		return invalid("unknown types %q: use %s or %s", l.Types, Portable, Logical)
	case l.UUID != "" && l.UUID != uuidLogical && l.UUID != uuidText:
		return invalid("unknown type of UUIDs %q: use %s or %s", l.UUID, uuidLogical, uuidText)
	}
	return nil
}
