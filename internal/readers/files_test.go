package readers

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/parquet-go/parquet-go"
)

func hiveValue(text string) (any, error) {
	if text == "__HIVE_DEFAULT_PARTITION__" {
		return nil, nil
	}
	value, err := url.PathUnescape(text)
	return value, err
}

func uuidText(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func readParquetGo(path string) (rows []map[string]any, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	opened, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, err
	}
	fields := opened.Schema().Fields()
	r := parquet.NewReader(opened)
	defer func() { _ = r.Close() }()
	buffer := make([]parquet.Row, 100)
	for {
		n, err := r.ReadRows(buffer)
		for _, values := range buffer[:n] {
			row := map[string]any{}
			for i, v := range values {
				row[fields[i].Name()] = parquetGoValue(fields[i], v)
			}
			rows = append(rows, row)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// parquetGoValue takes the logical types at their word.
func parquetGoValue(f parquet.Field, v parquet.Value) any {
	logical := ""
	if t := f.Type().LogicalType(); t != nil {
		logical = t.String()
	}
	switch {
	case v.IsNull():
		return nil
	case v.Kind() == parquet.Int64:
		if f.Name() == "timestamp" && logical != "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)" {
			return "not in microseconds of UTC: " + logical
		}
		return v.Int64()
	case logical == "UUID":
		return uuidText(v.ByteArray())
	}
	return string(v.ByteArray())
}

func readArrowGo(path string) (rows []map[string]any, err error) {
	opened, err := file.OpenParquetFile(path, false)
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }()
	r, err := pqarrow.NewFileReader(opened, pqarrow.ArrowReadProperties{BatchSize: 100}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		return nil, err
	}
	defer table.Release()
	rows = make([]map[string]any, table.NumRows())
	for i := range rows {
		rows[i] = map[string]any{}
	}
	for c := range int(table.NumCols()) {
		name, n := table.Column(c).Name(), 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				rows[n][name] = arrowGoValue(chunk, i)
				n++
			}
		}
	}
	return rows, nil
}

func arrowGoValue(values arrow.Array, i int) any {
	if values.IsNull(i) {
		return nil
	}
	switch v := values.(type) {
	case *array.String:
		return v.Value(i)
	case *array.Binary:
		return string(v.Value(i))
	case *array.Int64:
		return v.Value(i)
	case *extensions.UUIDArray:
		return v.Value(i).String()
	case *array.Timestamp:
		if t := v.DataType().(*arrow.TimestampType); t.Unit != arrow.Microsecond || t.TimeZone != "UTC" {
			return fmt.Sprint("not in microseconds of UTC: ", t)
		}
		return int64(v.Value(i))
	}
	return fmt.Sprintf("of type %s", values.DataType())
}
