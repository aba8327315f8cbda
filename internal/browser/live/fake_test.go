package live

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"datasync/internal/chart"
	"datasync/internal/web/guard"
	"datasync/internal/web/page"
)

// object is a message or an answer in JSON.
type object map[string]any

// fake serves the page behind the real guard, with a stream and answers that the test writes.
type fake struct {
	t     testing.TB
	guard *guard.Guard
	http  *http.Server
	url   string // without the token

	mu       sync.Mutex
	state    object            // sent again and again, unless silent
	sections map[string]object // sent to each new stream
	order    []string
	silent   bool
	refusing bool
	streams  map[chan object]bool
	opened   int // streams that have begun
	reached  int // requests that the guard let through to the data

	began chan struct{} // closed when the first stream begins

	// Query, Complete and Download answer the SQL box.
	Query, Complete, Download func(r *http.Request, body object) any
}

// styles are those of a report: what internal/report adds to those of the charts, read from its folder because
// the package needs DuckDB.
func styles(t testing.TB) string {
	t.Helper()
	css, err := os.ReadFile("../../report/page.css")
	if err != nil {
		t.Fatal(err)
	}
	return chart.Styles() + string(css)
}

func newFake(t testing.TB) *fake {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	f := &fake{t: t, guard: guard.New(address), url: "http://" + address + "/", sections: map[string]object{}, streams: map[chan object]bool{}, state: pulling(), began: make(chan struct{})}
	f.Query = func(*http.Request, object) any { return object{"error": object{"text": "no query in this test"}} }
	f.Complete = func(*http.Request, object) any { return object{"from": 0, "items": []string{}} }
	document := page.New(styles(t))
	data := http.NewServeMux()
	data.HandleFunc("GET /stream", f.stream)
	data.HandleFunc("POST /query", f.answer(func(r *http.Request, body object) any { return f.Query(r, body) }))
	data.HandleFunc("POST /complete", f.answer(func(r *http.Request, body object) any { return f.Complete(r, body) }))
	data.HandleFunc("POST /download", f.answer(func(r *http.Request, body object) any { return f.Download(r, body) }))
	serve := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(document.HTML)
	})
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.reached++
		f.mu.Unlock()
		data.ServeHTTP(w, r)
	})
	f.http = guard.NewServer(f.guard.Handler(serve, counted, document.Policy))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.http.Serve(listener)
	}()
	beat := make(chan struct{})
	go f.beat(beat)
	t.Cleanup(func() {
		close(beat)
		_ = f.http.Close()
		<-done
	})
	return f
}

// address is the URL with the token.
func (f *fake) address() string { return f.url + "#" + f.guard.Token() }

// beat sends the state twice a second.
func (f *fake) beat(end <-chan struct{}) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-end:
			return
		case <-ticker.C:
			f.mu.Lock()
			if !f.silent {
				f.sendLocked(f.state)
			}
			f.mu.Unlock()
		}
	}
}

// sendLocked hands a message to all streams. One that does not read loses messages, as it must not hold the others.
func (f *fake) sendLocked(message object) {
	for stream := range f.streams {
		select {
		case stream <- message:
		default:
		}
	}
}

// show sends a state now, and from now on.
func (f *fake) show(state object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
	f.sendLocked(state)
}

// section sends a live section of the newest batch now, and to each new stream. Changes are pairs of a member's name
// and its value.
func (f *fake) section(id, html, chip string, changes ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sections[id] == nil {
		f.order = append(f.order, id)
	}
	message := object{"kind": "section", "id": id, "order": len(f.order), "html": html, "chip": chip, "batch": 184, "live": true}.with(changes...)
	f.sections[id] = message
	f.sendLocked(message)
}

// send sends any message now.
func (f *fake) send(message object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sendLocked(message)
}

// silence stops the beat, without an end of the stream.
func (f *fake) silence(silent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = silent
}

// drop ends all streams, and refuses new ones while refusing.
func (f *fake) drop(refusing bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusing = refusing
	for stream := range f.streams {
		close(stream)
		delete(f.streams, stream)
	}
}

func (f *fake) begun() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	messages := make(chan object, 100)
	f.mu.Lock()
	if f.refusing {
		f.mu.Unlock()
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	if f.opened++; f.opened == 1 {
		close(f.began)
	}
	messages <- f.state
	for _, id := range f.order {
		messages <- f.sections[id]
	}
	f.streams[messages] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.streams, messages)
		f.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case message, ok := <-messages:
			if !ok || lines.Encode(message) != nil || control.Flush() != nil {
				return
			}
		}
	}
}

func (f *fake) answer(do func(*http.Request, object) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Only after the body's end does the server notice that the client goes.
		sent, err := io.ReadAll(r.Body)
		var body object
		if err != nil || json.Unmarshal(sent, &body) != nil {
			http.Error(w, "the body is no object", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(do(r, body))
	}
}
