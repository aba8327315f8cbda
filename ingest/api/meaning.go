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

// Meaning is what an answer that is no page says about the request. docs/answers.md has the
// table of which answer means what.
type Meaning uint8

const (
	// MeansFailed: the request may succeed the next time.
	MeansFailed Meaning = iota
	// MeansRateLimited: the endpoint was asked too often.
	MeansRateLimited
	// MeansTokenRefused: the feed does not accept the token.
	MeansTokenRefused
	// MeansBrowserRequired: stream-access or the feed wants a browser.
	MeansBrowserRequired
	// MeansKeyRefused: the key is not accepted.
	MeansKeyRefused
	// MeansPageTooLarge: the limit is too large.
	MeansPageTooLarge
	// MeansCursorExpired: the cursor has expired, or was never known.
	MeansCursorExpired
	// MeansBoundRefused: the API refuses the bound, or the probe's parameters.
	MeansBoundRefused
	// MeansCursorSuspect: it is the cursor, if a request without it succeeds.
	MeansCursorSuspect
	// MeansRefused: none of these.
	MeansRefused
)

// reply is an answer as it is read.
type reply struct {
	endpoint string
	status   int
	// code is the API's own, message and hint its words.
	code, message, hint string
	// words are all its words together, in small letters.
	words string
	// spent says that a header counts no remaining requests.
	spent bool
}

// readAnswer reads the words of an answer that is no page. Members may be missing, of another
// type, or lie in an object called error.
func readAnswer(endpoint string, status int, body []byte) reply {
	a := reply{endpoint: endpoint, status: status}
	members := map[string]string{}
	collectWords(members, body, 0)
	if code := members["code"]; codePattern.MatchString(code) {
		a.code = code
	}
	a.message = cmp.Or(members["message"], members["detail"])
	if text := members["error"]; a.message == "" && !strings.EqualFold(text, http.StatusText(status)) {
		a.message = text
	}
	a.hint = members["hint"]
	a.words = strings.ToLower(strings.Join([]string{members["code"], members["__type"], members["error"], members["message"], members["detail"], members["hint"]}, "\n"))
	return a
}

// deepestWords is how deep in an answer its words may lie.
const deepestWords = 3

// collectWords takes the texts of an object's members, by their names in small letters: the first of each
// name, and those of the object itself before those of objects and arrays in it.
func collectWords(members map[string]string, raw []byte, depth int) {
	var object map[string]json.RawMessage
	if depth > deepestWords || json.Unmarshal(raw, &object) != nil {
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
		collectWords(members, value, depth+1)
	}
}

var (
	codePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	// limitedWords are the codes and words of a rate limit.
	limitedWords = regexp.MustCompile(`(rate|requests?|quota|daily|hourly)[ _-]?limit(ed|er)?\b[^\n]{0,20}(exceed|reach|hit)|exceed\w*[^\n]{0,30}\brate[ _-]?limit|\brate exceeded|` +
		`^rate[ _-]?limit(ed)?$|^[a-z0-9_.#-]*rate[_-]?limit[a-z0-9_.-]*$|too[ _-]?many[ _-]?requests|throttl(ed|ing)|slow[ _-]?down|quota[ _-]?exceeded`)
	// pageSizeCodes and pageSizeWords say that the parameter limit is too large.
	pageSizeCodes = regexp.MustCompile(`^[a-z_.-]*(invalid|bad|max|large|exceed)[a-z_.-]*(limit|page_?size|per_?page)$|^[a-z_.-]*(limit|page_?size|per_?page)[_.-](too|exceed|invalid|out|max)[a-z_.-]*$`)
	pageSizeWords = regexp.MustCompile(`\b(limit|page[ _-]?size|per[ _-]?page)\b[^\n]{0,60}(<|≤|at most|max|exceed|between|too (large|big|high)|less than|greater than|larger than|invalid|must|up to|not allowed)|` +
		`(max\w*|exceed\w*|invalid|too (large|big|high))\b[^\n]{0,40}\b(limit|page[ _-]?size|per[ _-]?page)\b`)
	// otherLimits are limits of something else, and parameters of a URL that is repeated.
	otherLimits = regexp.MustCompile(`\b(time|rate|requests?|usage|memory|upload|connection|daily|hourly|monthly|plan|spending|account)[ _-]limit|[?&]limit=\d*|limit of your \w+`)
	cursorWords = regexp.MustCompile(`cursor`)
	numbers     = regexp.MustCompile(`\d+`)
	// mostNumber finds the number that something may have at most; separators of thousands are
	// read.
	mostNumber = regexp.MustCompile(`(?:<=?|≤|at most|max\w*(?: of| is)?|exceeds?(?: the)?(?: \w+)?(?: of)?|between \d+ and|than(?: or equal to)?|up to)[^\d\n]{0,12}(\d{1,3}(?:[,_ ]\d{3})+|\d+)`)
)

// meaning says what the answer means for a request, by the first rule that applies. Whether it
// names a wait, which comes first of all, is not looked at.
func (a *reply) meaning(asked Request) Meaning {
	client := a.status >= 400 && a.status < 500
	switch {
	case a.status == http.StatusTooManyRequests, a.namesRateLimit(), a.status == http.StatusForbidden && a.spent:
		return MeansRateLimited
	case a.status == http.StatusForbidden || a.status == http.StatusUnauthorized:
		return a.refusal()
	case retried(a.status):
		return MeansFailed
	case a.endpoint == StreamAccess || !client:
		return MeansRefused
	case asked.Cursor != "" && strings.Contains(strings.ToLower(a.code), "cursor"):
		return MeansCursorExpired // whatever its words go on to say
	case a.namesPageSize() && asked.Limit == 0:
		return MeansPageTooLarge
	case asked.Cursor != "" && cursorWords.MatchString(a.words):
		return MeansCursorExpired
	case asked.Bounded || asked.Limit != 0:
		return MeansBoundRefused
	case asked.Cursor != "":
		return MeansCursorSuspect
	}
	return MeansRefused
}

func (a *reply) namesRateLimit() bool {
	for line := range strings.Lines(a.words) {
		if limitedWords.MatchString(strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}

func (a *reply) namesPageSize() bool {
	return pageSizeCodes.MatchString(strings.ToLower(a.code)) || pageSizeWords.MatchString(otherLimits.ReplaceAllString(strings.ToLower(a.message), ""))
}

// refusal says what a 401 or 403 means. The feed may leave the code of a refused token out.
func (a *reply) refusal() Meaning {
	code := strings.ToUpper(a.code)
	switch {
	case code == dashboardRequired && a.endpoint != Events:
		return MeansBrowserRequired
	case a.endpoint == Feed && (strings.Contains(code, "TOKEN") || a.status == http.StatusForbidden):
		return MeansTokenRefused
	}
	return MeansKeyRefused
}

// retried reports whether a status is one of a failure that may pass.
func retried(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, 420, http.StatusLocked, http.StatusTooEarly:
		return true
	}
	return status >= 500 || status < 300
}

// smallerPage returns the page size to ask for after the answer refused one: the largest one
// that its message names, or else a tenth. It is 0 where none is left.
func (a *reply) smallerPage(refused int) int {
	smaller := 0
	for _, found := range mostNumber.FindAllStringSubmatch(strings.ToLower(a.message), -1) {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, found[1])
		if n, err := strconv.Atoi(digits); err == nil && n < refused {
			smaller = max(smaller, n)
		}
	}
	if smaller == 0 && refused/10 >= leastGuess {
		smaller = refused / 10
	}
	return smaller
}

// leastGuess is the smallest page that is asked for where the API names no number.
const leastGuess = 10

// answerError says what an answer that is no page means for the request that asked for it.
func answerError(endpoint string, resp *http.Response, body []byte, asked Request) *APIError {
	a := readAnswer(endpoint, resp.StatusCode, body)
	a.spent = strings.TrimSpace(resp.Header.Get("X-RateLimit-Remaining")) == "0"
	e := &APIError{Endpoint: endpoint, Status: a.status, Code: a.code, Message: a.message, Hint: a.hint, Means: a.meaning(asked)}
	status := a.status
	if e.Means == MeansRateLimited {
		status = http.StatusTooManyRequests
	}
	if e.Wait, e.Named = askedWait(status, resp.Header, body, time.Now()); e.Named && e.Means != MeansRateLimited {
		// It asks to be left alone, for whatever reason.
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
		e.answer = a
	}
	if e.Means == MeansRefused && status >= 300 && status < 400 {
		e.Kind = ErrRedirected
	}
	return e
}
