package human_test

import (
	"testing"

	"datasync/internal/human"
)

func TestNearest(t *testing.T) {
	names := []string{"page_view", "click", "form_submit", "daily_active_users", "top_pages"}
	for text, want := range map[string]string{
		"pageview": "page_view", "Page-View": "page_view", "clik": "click", "top pages": "top_pages", "top_page": "top_pages", "daily_users": "daily_active_users",
		"": "", "x": "", "purchase": "", "日本": "",
	} {
		if got := human.Nearest(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := human.DidYouMean("clik", names); got != "; did you mean click?" {
		t.Error(got)
	}
	if got := human.DidYouMean("nothing", names); got != "" {
		t.Error(got)
	}
}
