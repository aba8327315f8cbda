package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dashboardRequired is the error code for requests that do not look like a browser's.
const dashboardRequired = "DASHBOARD_REQUIRED"

// reply is a parsed answer other than a page. The table in docs/answers.md has the rules by which
// it gets its Meaning.
type reply struct {
	endpoint string
	status   int
	// code is the API's own code, message and hint are texts of the body.
	code, message, hint string
	// texts has all known texts of the body in lower case, one a line.
	texts string
	// exhausted says that a header counts no remaining requests.
	exhausted bool
}

// parseReply parses the body of an answer other than a page. Members may be missing, have another
// type, or lie in an object called error.
func parseReply(endpoint string, status int, body []byte) reply {
	a := reply{endpoint: endpoint, status: status}
	members := map[string]string{}
	collectTexts(members, body, 0)
	if code := members["code"]; codePattern.MatchString(code) {
		a.code = code
	}
	a.message = cmp.Or(members["message"], members["detail"])
	if text := members["error"]; a.message == "" && !strings.EqualFold(text, http.StatusText(status)) {
		a.message = text
	}
	a.hint = members["hint"]
	a.texts = strings.ToLower(strings.Join([]string{members["code"], members["__type"], members["error"], members["message"], members["detail"], members["hint"]}, "\n"))
	return a
}

// maxTextDepth is how deep objects may be nested for their texts to count.
const maxTextDepth = 3

// collectTexts collects the texts of an object's members by their lower-case names. A member of the
// object takes precedence over those of objects and arrays in it.
func collectTexts(members map[string]string, raw []byte, depth int) {
	var object map[string]json.RawMessage
	if depth > maxTextDepth || json.Unmarshal(raw, &object) != nil {
		return
	}
	var inner []json.RawMessage
	for name, value := range object {
		name = strings.ToLower(name)
		var text string
		var number json.Number
		var list []json.RawMessage
		switch {
		case json.Unmarshal(value, &text) == nil:
		case name == "code" && json.Unmarshal(value, &number) == nil:
			text = number.String()
		case json.Unmarshal(value, &list) == nil:
			var texts []string
			if json.Unmarshal(value, &texts) == nil {
				text = strings.Join(texts, "; ")
			}
			inner = append(inner, list...)
		case name == "error" || name == "errors" || name == "fault" || name == "detail" || name == "details" || name == "message":
			inner = append(inner, value)
		}
		if members[name] == "" {
			members[name] = text
		}
	}
	for _, value := range inner {
		collectTexts(members, value, depth+1)
	}
}

var (
	codePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	// rateLimitPattern matches the codes and texts of a rate limit.
	rateLimitPattern = regexp.MustCompile(`(rate|requests?|quota|daily|hourly)[ _-]?limit(ed|er)?\b[^\n]{0,20}(exceed|reach|hit)|exceed\w*[^\n]{0,30}\brate[ _-]?limit|\brate exceeded|` +
		`^rate[ _-]?limit(ed)?$|^[a-z0-9_.#-]*rate[_-]?limit[a-z0-9_.-]*$|too[ _-]?many[ _-]?requests|throttl(ed|ing)|slow[ _-]?down|quota[ _-]?exceeded`)
	// pageSizeCodePattern and pageSizePattern match a parameter limit that is too large.
	pageSizeCodePattern = regexp.MustCompile(`^[a-z_.-]*(invalid|bad|max|large|exceed)[a-z_.-]*(limit|page_?size|per_?page)$|^[a-z_.-]*(limit|page_?size|per_?page)[_.-](too|exceed|invalid|out|max)[a-z_.-]*$`)
	pageSizePattern     = regexp.MustCompile(`\b(limit|page[ _-]?size|per[ _-]?page)\b[^\n]{0,60}(<|≤|at most|max|exceed|between|too (large|big|high)|less than|greater than|larger than|invalid|must|up to|not allowed)|` +
		`(max\w*|exceed\w*|invalid|too (large|big|high))\b[^\n]{0,40}\b(limit|page[ _-]?size|per[ _-]?page)\b`)
	// otherLimitPattern matches limits of something else, and the parameters of a quoted URL.
	otherLimitPattern = regexp.MustCompile(`\b(time|rate|requests?|usage|memory|upload|connection|daily|hourly|monthly|plan|spending|account)[ _-]limit|[?&]limit=\d*|limit of your \w+`)
	cursorPattern     = regexp.MustCompile(`cursor`)
	// maximumPattern finds a maximum, with or without separators of thousands.
	maximumPattern = regexp.MustCompile(`(?:<=?|≤|at most|max\w*(?: of| is)?|exceeds?(?: the)?(?: \w+)?(?: of)?|between \d+ and|than(?: or equal to)?|up to)[^\d\n]{0,12}(\d{1,3}(?:[,_ ]\d{3})+|\d+)`)
)

// meaning returns what the answer says about the request, by the first rule that applies. It ignores
// a named wait, which newError looks at.
func (a *reply) meaning(want Request) Meaning {
	client := a.status >= 400 && a.status < 500
	switch {
	case a.status == http.StatusTooManyRequests, a.namesRateLimit(), a.status == http.StatusForbidden && a.exhausted:
		return MeansRateLimited
	case a.status == http.StatusForbidden || a.status == http.StatusUnauthorized:
		return a.authMeaning()
	case retryable(a.status):
		return MeansFailed
	case a.endpoint == StreamAccess || !client:
		return MeansRefused
	case want.Cursor != "" && strings.Contains(strings.ToLower(a.code), "cursor"):
		return MeansCursorExpired // whatever its message says
	case a.namesPageSize() && want.isFullPage():
		return MeansPageTooLarge
	case want.Cursor != "" && cursorPattern.MatchString(a.texts):
		return MeansCursorExpired
	case want.Bounded || !want.isFullPage():
		return MeansBoundRefused
	case want.Cursor != "":
		return MeansCursorSuspect
	}
	return MeansRefused
}

func (a *reply) namesRateLimit() bool {
	for line := range strings.Lines(a.texts) {
		if rateLimitPattern.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}

func (a *reply) namesPageSize() bool {
	return pageSizeCodePattern.MatchString(strings.ToLower(a.code)) || pageSizePattern.MatchString(otherLimitPattern.ReplaceAllString(strings.ToLower(a.message), ""))
}

// authMeaning returns the meaning of a 401 or 403. The feed may omit the code of a refused token.
func (a *reply) authMeaning() Meaning {
	code := strings.ToUpper(a.code)
	switch {
	case code == dashboardRequired && a.endpoint != Events:
		return MeansBrowserRequired
	case a.endpoint == Feed && (strings.Contains(code, "TOKEN") || a.status == http.StatusForbidden):
		return MeansTokenRefused
	}
	return MeansKeyRefused
}

// retryable reports whether a status is that of a temporary failure.
func retryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, 420, http.StatusLocked, http.StatusTooEarly:
		return true
	}
	return status >= 500 || status < 300
}

// maximums returns the numbers that the message names as a maximum.
func (a *reply) maximums() (numbers []int) {
	for _, found := range maximumPattern.FindAllStringSubmatch(strings.ToLower(a.message), -1) {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, found[1])
		if n, err := strconv.Atoi(digits); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// newError returns the error of an answer other than a page to the request.
func newError(endpoint string, resp *http.Response, body []byte, want Request) *Error {
	a := parseReply(endpoint, resp.StatusCode, body)
	a.exhausted = strings.TrimSpace(resp.Header.Get("X-RateLimit-Remaining")) == "0"
	e := &Error{Endpoint: endpoint, Status: a.status, Code: a.code, Message: a.message, Hint: a.hint, Means: a.meaning(want)}
	status := a.status
	if e.Means == MeansRateLimited {
		status = http.StatusTooManyRequests
	}
	if e.Wait, e.Named = requestedWait(status, resp.Header, body, time.Now()); e.Named && e.Means != MeansRateLimited {
		// A named wait outranks all other meanings: the request may succeed after it.
		e.Means = MeansFailed
	}
	switch e.Means {
	case MeansTokenRefused:
		e.Kind = ErrTokenRejected
	case MeansKeyRefused:
		e.Kind = ErrKeyRefused
	case MeansCursorExpired:
		e.Kind = ErrCursorExpired
	case MeansPageTooLarge:
		e.maximums = a.maximums()
	case MeansRefused:
		if status >= 300 && status < 400 {
			e.Kind = ErrRedirected
		}
	}
	return e
}
