package query_test

import (
	"maps"
	"testing"

	"datasync/query"
)

// TestUsedParams: only parameters of the SQL are used, not their names within strings and comments.
func TestUsedParams(t *testing.T) {
	values := map[string]string{"a": "1", "b": "2", "c": "3"}
	for text, want := range map[string]map[string]string{
		"SELECT $a, $A, $d; SELECT $a + $b": {"a": "1", "b": "2"}, "SELECT '$a', \"$b\" -- $c": {}, "SELECT $$a $b$$, $c": {"c": "3"}, "": {},
	} {
		if got := query.UsedParams(text, values); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if got := query.UsedParams("SELECT $a", nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
