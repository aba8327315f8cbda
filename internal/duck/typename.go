package duck

import (
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// scalarNames has the types that have no parts.
var scalarNames = map[mapping.Type]string{
	mapping.TypeBoolean: "BOOLEAN", mapping.TypeTinyInt: "TINYINT", mapping.TypeSmallInt: "SMALLINT", mapping.TypeInteger: "INTEGER",
	mapping.TypeBigInt: "BIGINT", mapping.TypeUTinyInt: "UTINYINT", mapping.TypeUSmallInt: "USMALLINT", mapping.TypeUInteger: "UINTEGER",
	mapping.TypeUBigInt: "UBIGINT", mapping.TypeFloat: "FLOAT", mapping.TypeDouble: "DOUBLE", mapping.TypeTimestamp: "TIMESTAMP",
	mapping.TypeDate: "DATE", mapping.TypeTime: "TIME", mapping.TypeInterval: "INTERVAL", mapping.TypeHugeInt: "HUGEINT",
	mapping.TypeUHugeInt: "UHUGEINT", mapping.TypeVarchar: "VARCHAR", mapping.TypeBlob: "BLOB", mapping.TypeTimestampS: "TIMESTAMP_S",
	mapping.TypeTimestampMS: "TIMESTAMP_MS", mapping.TypeTimestampNS: "TIMESTAMP_NS", mapping.TypeUUID: "UUID", mapping.TypeBit: "BIT",
	mapping.TypeTimeTZ: "TIME WITH TIME ZONE", mapping.TypeTimestampTZ: "TIMESTAMP WITH TIME ZONE", mapping.TypeBigNum: "BIGNUM",
	mapping.TypeSQLNull: `"NULL"`, mapping.TypeTimeNS: "TIME_NS", mapping.TypeGeometry: "GEOMETRY", mapping.TypeVariant: "VARIANT",
}

// takeTypeName is typeName, and destroys the type.
func takeTypeName(t mapping.LogicalType) string {
	defer mapping.DestroyLogicalType(&t)
	return typeName(t)
}

// typeName returns the name of a type as DuckDB writes it, "" for an unknown one.
func typeName(t mapping.LogicalType) string {
	if t.Ptr == nil {
		return ""
	}
	if alias := mapping.LogicalTypeGetAlias(t); alias != "" {
		return alias // JSON, and types of extensions
	}
	switch id := mapping.GetTypeId(t); id {
	case mapping.TypeDecimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", mapping.DecimalWidth(t), mapping.DecimalScale(t))
	case mapping.TypeList:
		return takeTypeName(mapping.ListTypeChildType(t)) + "[]"
	case mapping.TypeArray:
		return fmt.Sprintf("%s[%d]", takeTypeName(mapping.ArrayTypeChildType(t)), mapping.ArrayTypeArraySize(t))
	case mapping.TypeMap:
		return fmt.Sprintf("MAP(%s, %s)", takeTypeName(mapping.MapTypeKeyType(t)), takeTypeName(mapping.MapTypeValueType(t)))
	case mapping.TypeStruct:
		return "STRUCT(" + fields(mapping.StructTypeChildCount(t), func(i mapping.IdxT) (string, mapping.LogicalType) {
			return mapping.StructTypeChildName(t, i), mapping.StructTypeChildType(t, i)
		}) + ")"
	case mapping.TypeUnion:
		return "UNION(" + fields(mapping.UnionTypeMemberCount(t), func(i mapping.IdxT) (string, mapping.LogicalType) {
			return mapping.UnionTypeMemberName(t, i), mapping.UnionTypeMemberType(t, i)
		}) + ")"
	case mapping.TypeEnum:
		values := make([]string, mapping.EnumDictionarySize(t))
		for i := range values {
			values[i] = Quote(mapping.EnumDictionaryValue(t, mapping.IdxT(i)))
		}
		return "ENUM(" + strings.Join(values, ", ") + ")"
	default:
		return scalarNames[id]
	}
}

func fields(n mapping.IdxT, field func(i mapping.IdxT) (string, mapping.LogicalType)) string {
	parts := make([]string, n)
	for i := range n {
		name, t := field(i)
		parts[i] = `"` + strings.ReplaceAll(name, `"`, `""`) + `" ` + takeTypeName(t)
	}
	return strings.Join(parts, ", ")
}
