package store_test

import (
	"testing"

	"datasync/internal/store"
)

// What the totals of a walk's first and last page say of so many elements.
func TestWeigh(t *testing.T) {
	for _, tc := range []struct {
		name                      string
		first, last, here, copies int64
		want                      store.Balance
	}{
		{"as many", 10, 10, 10, 0, store.Balance{}},
		{"some arrived on top", 10, 13, 10, 0, store.Balance{}},
		{"some arrived below", 10, 13, 12, 0, store.Balance{}},
		{"fewer here", 10, 10, 7, 0, store.Balance{Missing: 3}},
		{"fewer here, and some arrived", 10, 13, 7, 0, store.Balance{Missing: 3}},
		{"copies", 10, 10, 7, 3, store.Balance{Copies: 3}},
		{"copies, and fewer", 10, 10, 7, 2, store.Balance{Missing: 1, Copies: 2}},
		{"more copies than that", 10, 10, 10, 5, store.Balance{}},
		{"more here", 10, 10, 12, 5, store.Balance{Gone: 2}},
		{"more here than at either time", 10, 8, 12, 0, store.Balance{Gone: 4}},
		{"read ones were deleted", 10, 8, 10, 0, store.Balance{Gone: 2}},
		{"deleted, read or not", 10, 8, 9, 0, store.Balance{Gone: 1, Unclear: true}},
		{"as many as at the end", 10, 8, 8, 0, store.Balance{Unclear: true}},
		{"fewer than at the end", 10, 8, 7, 0, store.Balance{Missing: 1}},
	} {
		if got := store.Weigh(tc.first, tc.last, tc.here, tc.copies); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}
