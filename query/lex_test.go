package query_test

import (
	"slices"
	"testing"

	"datasync/query"
)

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		text  string
		want  []string
		whole bool
	}{
		{"", nil, true},
		{"SELECT 1", []string{"SELECT 1"}, false},
		{"SELECT 1;", []string{"SELECT 1"}, true},
		{" a ; b;; \n c -- d; e\n;", []string{"a", "b", "c -- d; e"}, true},
		{"SELECT ';'';' ; b", []string{"SELECT ';'';'", "b"}, false},
		{`SELECT ";"";"; b`, []string{`SELECT ";"";"`, "b"}, false},
		{`SELECT E'\';' ; b`, []string{`SELECT E'\';'`, "b"}, false},
		{`SELECT 'a\'; b`, []string{`SELECT 'a\'`, "b"}, false},
		{"SELECT $$;$$; b", []string{"SELECT $$;$$", "b"}, false},
		{"SELECT $x$;$$;$x$; b", []string{"SELECT $x$;$$;$x$", "b"}, false},
		{"SELECT $a;$b", []string{"SELECT $a", "$b"}, false},
		{"SELECT a$b$;$b$", []string{"SELECT a$b$", "$b$"}, false},
		{"/* ; /* ; */ ; */ a;", []string{"/* ; /* ; */ ; */ a"}, true},
		{"-- only\n", nil, true},
		{"'open;", []string{"'open;"}, false},
		{"/* open;", []string{"/* open;"}, false},
		{"a; -- end", []string{"a"}, true},
		{"\u00a0", nil, true},
		{"\ufeffa\u00a0;\u3000; $b\u2003;c", []string{"a", "$b", "c"}, false},
	} {
		got, whole := query.Split(tc.text)
		if !slices.Equal(got, tc.want) || whole != tc.whole {
			t.Errorf("%q: %q, %v; want %q, %v", tc.text, got, whole, tc.want, tc.whole)
		}
	}
}

// FuzzSplit: statements are those of the reference, and splitting a statement again returns it.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"a;b", "'a;", "$x$;$x$", "/*;*/;", "E'\\';'", "$1;$a$b$a$", "\"a\"\"\";--\r;", "é$é;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		statements, whole := query.Split(text)
		if want, wantWhole := refSplit(text); !slices.Equal(statements, want) || whole != wantWhole {
			t.Fatalf("%q is %q, %v; to the reference %q, %v", text, statements, whole, want, wantWhole)
		}
		for _, s := range statements {
			if again, _ := query.Split(s); len(again) != 1 || again[0] != s {
				t.Fatalf("%q was split again: %q", s, again)
			}
		}
	})
}
