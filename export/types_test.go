package export_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/outfile"
)

// oddTypes are values of types that Parquet or some of its readers lack, each with its type in a
// portable and in a logical file. An empty type means a refusal.
var oddTypes = []struct{ value, portable, logical string }{
	{"uuid()", "VARCHAR", "UUID"},
	{"[uuid(), NULL]", "VARCHAR[]", "UUID[]"},
	{"[uuid()]::UUID[1]", "VARCHAR[]", "UUID[]"},
	{`'{"a": [1, "ü"]}'::JSON`, "VARCHAR", "JSON"},
	{`{'a': uuid(), 'b "": UUID': '[1]'::JSON, 'c': 1}`, `STRUCT(a VARCHAR, "b """": UUID" VARCHAR, c INTEGER)`, `STRUCT(a UUID, "b """": UUID" JSON, c INTEGER)`},
	{"MAP {uuid(): [{'j': '1'::JSON}]}", "MAP(VARCHAR, STRUCT(j VARCHAR)[])", "MAP(UUID, STRUCT(j JSON)[])"},
	{"INTERVAL '1 year -3 days 1200 hours 0.000001 seconds'", "VARCHAR", ""},
	{"INTERVAL '-1 second'", "VARCHAR", ""},
	{"INTERVAL '2562047788 hours'", "VARCHAR", ""},
	{"[{'a': INTERVAL '1 microsecond'}]", "STRUCT(a VARCHAR)[]", ""},
	{"'12:00:00+05:30'::TIMETZ", "VARCHAR", ""},
	{"'12:00:00.123456'::TIME", "VARCHAR", "TIME"},
	{"'12:00:00.123456789'::TIME_NS", "VARCHAR", "TIME_NS"},
	{"'2026-01-31 12:00:00.123456789'::TIMESTAMP_NS", "VARCHAR", "TIMESTAMP_NS"},
	{"'2026-01-31 12:00:00.123456'::TIMESTAMP", "TIMESTAMP", "TIMESTAMP"},
	{"'170141183460469231731687303715884105727'::HUGEINT // 10", "DECIMAL(38,0)", "DECIMAL(38,0)"},
	{"['170141183460469231731687303715884105727'::HUGEINT // 10]", "DECIMAL(38,0)[]", "DECIMAL(38,0)[]"},
	{"'a, (UUID)'::ENUM('a, (UUID)', 'it''s')", "VARCHAR", "VARCHAR"},
	{"union_value(u := uuid())", "VARCHAR", "-"},
	{"42::VARIANT", "VARCHAR", "-"},
	{"'0101'::BIT", "VARCHAR", "VARCHAR"},
	{"1.50::DECIMAL(9, 2)", "DECIMAL(9,2)", "DECIMAL(9,2)"},
	{"0.1::FLOAT", "FLOAT", "FLOAT"},
	{"'a\\x00'::BLOB", "BLOB", "BLOB"},
}

// TestTypesOfValues: a portable file holds every value, and a logical one every value that Parquet
// holds exactly.
func TestTypesOfValues(t *testing.T) {
	f := database(t, 1)
	for _, tc := range oddTypes {
		// A fixed value, because uuid() is random.
		value := strings.ReplaceAll(tc.value, "uuid()", "'0b5a3c1e-0000-4000-8000-00000000000a'::UUID")
		want := ask(t, fmt.Sprintf("SELECT (%s)::VARCHAR", value))[0]
		for types, wantType := range map[export.Types]string{export.Portable: tc.portable, export.Logical: tc.logical} {
			target := filepath.Join(t.TempDir(), "a.parquet")
			_, err := f.export(export.Options{Target: target, Layout: export.Layout{Types: types}, Selection: export.Selection{Query: `SELECT ` + value + ` AS "the "" value", 1 AS n`}})
			switch {
			case wantType == "-":
			case wantType == "":
				if !errors.Is(err, export.ErrOptions) || !strings.Contains(err.Error(), `write CAST("the "" value" AS `) {
					t.Errorf("%s: %v", tc.value, err)
				}
			case err != nil:
				t.Errorf("%s, %s: %v", tc.value, types, err)
			default:
				equal(t, tc.value+", "+string(types), ask(t, `SELECT typeof("the "" value"), "the "" value"::VARCHAR FROM read_parquet(?)`, target), wantType, want)
			}
		}
	}
	// The cast that the refusal names works.
	f.mustExport(export.Options{Target: filepath.Join(t.TempDir(), "a.parquet"), Layout: export.Layout{Types: export.Logical},
		Selection: export.Selection{Query: "SELECT CAST(i AS STRUCT(\"a\" VARCHAR)[]) AS i FROM (SELECT [{'a': INTERVAL 1 DAY}] AS i)"}})
}

// TestLargestHugeint: a number of more than 38 digits is not a DECIMAL.
func TestLargestHugeint(t *testing.T) {
	f := database(t, 1)
	_, err := f.export(export.Options{Target: filepath.Join(t.TempDir(), "a.parquet"), Selection: export.Selection{Query: "SELECT '170141183460469231731687303715884105727'::HUGEINT AS h"}})
	if !errors.Is(err, export.ErrOptions) || !strings.Contains(err.Error(), "170141183460469231731687303715884105727") || !strings.Contains(err.Error(), "AS VARCHAR)") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

// TestTypesOfFolders: a folder keeps its types, and an option for other types is refused. In a
// folder of an earlier version, each form of UUIDs keeps its earlier meaning.
func TestTypesOfFolders(t *testing.T) {
	layouts := map[string]export.Layout{
		"none": {}, "--types portable": {Types: export.Portable}, "--types logical": {Types: export.Logical}, "--uuid string": {UUID: "string"}, "--uuid uuid": {UUID: "uuid"},
	}
	for name, tc := range map[string]struct {
		first   export.Layout
		earlier func(layout map[string]any) // makes the manifest that of an earlier version
		accepts []string
		id      string
		json    string
	}{
		"portable":                    {export.Layout{}, nil, []string{"none", "--types portable", "--uuid string"}, "VARCHAR", "VARCHAR"},
		"logical":                     {export.Layout{Types: export.Logical}, nil, []string{"none", "--types logical", "--uuid uuid"}, "UUID", "JSON"},
		"logical, earlier":            {export.Layout{Types: export.Logical}, func(map[string]any) {}, []string{"none", "--types logical", "--uuid uuid"}, "UUID", "JSON"},
		"logical with texts, earlier": {export.Layout{}, func(l map[string]any) { l["uuid_as_string"] = true }, []string{"none", "--uuid string"}, "VARCHAR", "JSON"},
	} {
		for option, layout := range layouts {
			f := newFixture(t)
			f.commit(model.Done, series(0, 10))
			target := filepath.Join(t.TempDir(), "a")
			f.mustExport(export.Options{Target: target, Incremental: true, Layout: tc.first})
			if tc.earlier != nil {
				makeEarlier(t, target, tc.earlier)
			}
			f.commit(model.Done, series(10, 20))
			before := tree(t, filepath.Dir(target))
			_, err := f.export(export.Options{Target: target, Incremental: true, Layout: layout})
			if slices.Contains(tc.accepts, option) {
				if err != nil {
					t.Errorf("%s, %s: %v", name, option, err)
					continue
				}
				equal(t, name+", "+option, ask(t, "SELECT typeof(id), typeof(properties) FROM read_parquet(?)", filepath.Join(target, "events-2-*.parquet")), tc.id, tc.json)
			} else if !errors.Is(err, outfile.ErrTarget) || !strings.Contains(err.Error(), "set of types is") || tree(t, filepath.Dir(target)) != before {
				t.Errorf("%s, %s: %v", name, option, err)
			}
		}
	}
}

// makeEarlier turns a folder into one of an earlier version, whose manifest is inside.
func makeEarlier(t *testing.T, folder string, change func(layout map[string]any)) {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(read(t, manifestOf(folder))), &m); err != nil {
		t.Fatal(err)
	}
	m["version"] = 1
	l := m["layout"].(map[string]any)
	delete(l, "types")
	delete(l, "escaping")
	change(l)
	b, err := json.Marshal(m)
	if err := errors.Join(err, os.WriteFile(insideOf(folder), b, 0o600), os.Remove(folder+".manifest.json")); err != nil {
		t.Fatal(err)
	}
}
