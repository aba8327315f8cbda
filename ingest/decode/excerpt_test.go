package decode

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestExcerpts: an excerpt of a reject has the cause, wherever that is.
func TestExcerpts(t *testing.T) {
	long := strings.Repeat("é世", 300)
	const head = `{"id":"6c1a50b3-0000-4000-8000-000000000001","sessionId":"6c1a50b3-0000-4000-8000-000000000002","type":"click",`
	for _, tc := range []struct{ element, reason, want string }{
		{`{"properties":{"a":"` + long + `"},"id":"WRONG","b":"` + long + `"}`, reasonBadID, `"id":"WRONG"`},
		{`{"properties":{"a":"` + long + `"},"id":null,"b":"` + long + `"}`, reasonMissingID, `"id":null`},
		{`{"b":"` + long + `"}`, reasonMissingID, `{"b":"é`},
		{head + `"b":"` + long + `","timestamp":"WRONG"}`, reasonBadTimestamp, `"timestamp":"WRONG"}`},
		{head + `"b":"` + long + `","timestamp":"WRONG` + long + `"}`, reasonBadTimestamp, `"timestamp":"WRONGé`},
		{head + `"b":"` + long + `","timestamp":99999999999999999,"c":"` + long + `"}`, reasonOutOfRange, `"timestamp":99999999999999999`},
		{head + `"b":"` + long + `"}`, reasonMissingTimestamp, head},
		{head + `"timestamp":1769541612369,"b":"` + long + `","type":"again","c":"` + long + `"}`, reasonDuplicateMember, `"type":"again"`},
		{head + `"timestamp":1769541612369,"b":"` + long + `","b":"again","c":"` + long + `"}`, reasonDuplicateMember, `"b":"again"`},
		{head + `"timestamp":1769541612369,"b":"` + long + `","session":{"browser":"` + long + `","browser":"again"},"c":"` + long + `"}`, reasonDuplicateMember, `"browser":"again"`},
		{head + `"timestamp":1769541612369,"b":"\\ud800\ud83d\ude00` + long + `","c":"bad\ud800","d":"` + long + `"}`, reasonBadText, `"c":"bad\ud800"`},
		{head + `"timestamp":1769541612369,"b":"\\xff` + long + `","c":"bad` + "\xff" + `","d":"` + long + `"}`, reasonBadText, `"c":"bad\xff"`},
		{head + `"b":"` + long + `","c":WRONG,"d":"` + long + `"}`, ReasonBadJSON, `"c":WRONG`},
		{`["` + long + `"]`, reasonNotAnObject, `["é`},
		{`"short"`, reasonNotAnObject, `"short"`},
	} {
		p, err := New().Decode(`{"data":[`+tc.element+`],"hasMore":false}`, nil)
		if err != nil || len(p.Rejects) != 1 || p.Rejects[0].Reason != tc.reason {
			t.Errorf("%s: %v, rejects %+v", tc.want, err, p.Rejects)
			continue
		}
		raw := p.Rejects[0].Raw
		for _, limit := range []int{200, 300} {
			got := Excerpt(raw, tc.reason, limit)
			inner := strings.TrimSuffix(strings.TrimPrefix(got, "…"), "…")
			if !strings.Contains(got, tc.want) || len(inner) > limit || !utf8.ValidString(got) || !strings.Contains(raw, inner) {
				t.Errorf("%s: %d of %d bytes: %s, want %s", tc.reason, len(inner), limit, got, tc.want)
			}
			if strings.HasPrefix(got, "…") == strings.HasPrefix(raw, inner) || strings.HasSuffix(got, "…") == strings.HasSuffix(raw, inner) {
				t.Errorf("%s: the marks of %s", tc.reason, got)
			}
		}
	}
}

// FuzzExcerpt: an excerpt of any text is a part of it.
func FuzzExcerpt(f *testing.F) {
	for _, raw := range []string{``, `{`, `{"id":1,"id":"\`, `"\ud8`, `[1,2`, "\xff\xfe", `{"session":{"id":`, `\x`} {
		f.Add(raw, reasonDuplicateMember, 3)
	}
	reasons := []string{reasonBadID, reasonBadTimestamp, reasonDuplicateMember, reasonBadText, ReasonBadJSON, reasonTooDeep, reasonTooLarge, "of a later version"}
	f.Fuzz(func(t *testing.T, raw, reason string, limit int) {
		limit = max(1, limit)
		for _, reason := range append(reasons, reason) {
			got := Excerpt(raw, reason, limit)
			if inner := strings.TrimSuffix(strings.TrimPrefix(got, "…"), "…"); !strings.Contains(raw, inner) || len(inner) > max(limit, len(raw)) {
				t.Errorf("%q of %q", got, raw)
			}
		}
	})
}
