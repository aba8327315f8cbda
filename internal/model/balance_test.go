package model_test

import (
	"testing"

	"datasync/internal/model"
)

// TestWeigh compares the totals of a walk's first and last page with the stored elements.
func TestWeigh(t *testing.T) {
	for _, tc := range []struct {
		name                        string
		first, last, stored, copies int64
		want                        model.Balance
	}{
		{"as many", 10, 10, 10, 0, model.Balance{}},
		{"some arrived on top", 10, 13, 10, 0, model.Balance{}},
		{"some arrived below, and were read", 10, 13, 12, 0, model.Balance{}},
		{"fewer stored", 10, 10, 7, 0, model.Balance{Missing: 3}},
		{"fewer stored, and some arrived", 10, 13, 7, 0, model.Balance{Missing: 3}},
		{"copies", 10, 10, 7, 3, model.Balance{Copies: 3}},
		{"copies, and fewer", 10, 10, 7, 2, model.Balance{Missing: 1, Copies: 2}},
		{"copies, but none missing", 10, 10, 10, 5, model.Balance{}},
		{"more stored", 10, 10, 12, 5, model.Balance{Gone: 2}},
		{"more stored than either total", 10, 8, 12, 0, model.Balance{Gone: 4}},
		{"some deleted after reading", 10, 8, 10, 0, model.Balance{Gone: 2}},
		{"some deleted, before or after reading", 10, 8, 9, 0, model.Balance{Gone: 1, Unclear: true}},
		{"as many as the last total", 10, 8, 8, 0, model.Balance{Unclear: true}},
		{"fewer than the last total", 10, 8, 7, 0, model.Balance{Missing: 1}},
	} {
		if got := model.Weigh(tc.first, tc.last, tc.stored, tc.copies); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}
