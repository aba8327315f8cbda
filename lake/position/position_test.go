package position_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/position"
)

var (
	here  = model.LakePosition{Origin: "https://a.test", Lineage: "l1", Batch: 7, Rows: 300, Checksum: 11, Commit: "c7"}
	there = model.LakePosition{Origin: "https://b.test", Lineage: "l2", Batch: 3, Rows: 50, Checksum: 5, Commit: "c3"}
)

func TestReadWhatFormatWrites(t *testing.T) {
	properties := map[string]string{
		position.Key(there.Origin): position.Format(there),
		position.Key(here.Origin):  position.Format(here),
		"owner":                    "somebody",
	}
	all, err := position.Read(properties)
	if err != nil || len(all) != 2 || all[0] != here || all[1] != there {
		t.Fatalf("read %v, %v", all, err)
	}
	if p := position.Of(all, there.Origin); p == nil || *p != there {
		t.Errorf("position of %s: %v", there.Origin, p)
	}
	if p := position.Of(all, "https://c.test"); p != nil {
		t.Errorf("position of an unknown origin: %v", p)
	}
	if others := position.Others(all, here.Origin); len(others) != 1 || others[0] != there {
		t.Errorf("others: %v", others)
	}
	if rows := position.Rows(all); rows != 350 {
		t.Errorf("rows: %d", rows)
	}
}

func TestReadRefusesAForeignValue(t *testing.T) {
	for name, properties := range map[string]map[string]string{
		"no JSON":        {position.Key(here.Origin): "batch 7"},
		"another origin": {position.Key(here.Origin): position.Format(there)},
		"negative rows":  {position.Key(here.Origin): strings.Replace(position.Format(here), "300", "-1", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := position.Read(properties); !errors.Is(err, position.ErrUnreadable) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestNextAddsRowsAndChecksums(t *testing.T) {
	first := position.Next(nil, "o", "l", "c1", 4, 10, math.MaxInt64)
	second := position.Next(&first, "o", "l", "c2", 9, 5, 3)
	want := model.LakePosition{Origin: "o", Lineage: "l", Batch: 9, Rows: 15, Checksum: 2, Commit: "c2"}
	if second != want {
		t.Errorf("next is %+v, want %+v", second, want)
	}
}

func TestCheckTable(t *testing.T) {
	both := []model.LakePosition{here, there}
	for _, c := range []struct {
		name  string
		table position.Table
		want  error
	}{
		{"new", position.Table{}, nil},
		{"as exported", position.Table{Rows: 350, Positions: both}, nil},
		{"foreign", position.Table{Rows: 1}, position.ErrForeign},
		{"rows removed", position.Table{Rows: 349, Positions: both}, position.ErrChanged},
		{"rows added", position.Table{Rows: 351, Positions: both}, position.ErrChanged},
		{"set back to nothing", position.Table{Positions: both}, position.ErrChanged},
		{"rows removed, and as many added", position.Table{Rows: 350, Positions: both, Foreign: 2}, position.ErrChanged},
		{"compacted", position.Table{Rows: 350, Positions: both, Newest: map[string]model.LakePosition{position.Key(here.Origin): here}}, nil},
		{"set back, and as many rows added", position.Table{Rows: 350, Positions: both,
			Newest: map[string]model.LakePosition{position.Key(here.Origin): {Origin: here.Origin, Batch: 6, Commit: "c6"}}}, position.ErrChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := position.CheckTable(c.table)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && model.ExitOf(err).Code != model.ExitData {
				t.Errorf("exit code of %v is %d", err, model.ExitOf(err).Code)
			}
		})
	}
}

func TestCheckFile(t *testing.T) {
	table := position.Table{Rows: 350, Positions: []model.LakePosition{here, there}}
	for _, c := range []struct {
		name string
		file position.File
		want error
	}{
		{"the same file", position.File{Origin: here.Origin, Lineage: "l1"}, nil},
		{"pulled anew", position.File{Origin: here.Origin, Lineage: "l9"}, position.ErrAnew},
		{"another API", position.File{Origin: "https://c.test", Lineage: "l9"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := position.CheckFile(table, c.file)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "--replace") {
				t.Errorf("%v does not name --replace", err)
			}
		})
	}
}

func TestCheckRows(t *testing.T) {
	for _, c := range []struct {
		name           string
		rows, checksum int64
		want           error
	}{
		{"the same rows", 300, 11, nil},
		{"duplicates deleted", 299, 10, position.ErrDiffers},
		{"other rows", 300, 12, position.ErrDiffers},
		{"more rows", 301, 11, position.ErrDiffers},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := position.CheckRows(position.Table{}, position.File{}, here, c.rows, c.checksum)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "--replace") {
				t.Errorf("%v does not name --replace", err)
			}
		})
	}
}
