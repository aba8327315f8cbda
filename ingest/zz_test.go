package ingest_test
import ("net/http";"math/rand/v2";"testing";"datasync/mockserver";"fmt";"time";"os";"strconv")
func TestZZ(t *testing.T) {
	o := mockserver.Observed()
	scale, _ := strconv.ParseFloat(os.Getenv("ZSCALE"), 64)
	if scale == 0 {scale = 10}
	o.TimeScale = scale
	pages := 600; if v := os.Getenv("ZPAGES"); v != "" { pages, _ = strconv.Atoi(v) }
	o.Data.Events = pages*100
	o.Events.Cap, o.Feed.Cap = 100, 100
	for _, p := range []*mockserver.Pages{&o.Events, &o.Feed} {
		p.CacheTTL = 0
		if v := os.Getenv("ZLOAD"); v == "knee" { p.Load = []mockserver.LoadPoint{{1, 2*time.Second},{4, 2500*time.Millisecond},{8, 8*time.Second},{16,20*time.Second}} } else
		if v == "flat" { p.Load = []mockserver.LoadPoint{{1, 2*time.Second},{64, 2*time.Second}} }
		var l []mockserver.LoadPoint
		for _, x := range p.Load { x.Latency *= 50; l = append(l, x) }
		p.Load = l
	}
	if v := os.Getenv("ZFEED"); v != "" { n,_ := strconv.Atoi(v); o.Feed.RateLimit.Requests = n }
	if v := os.Getenv("ZEVENTS"); v != "" { n,_ := strconv.Atoi(v); o.Events.RateLimit.Requests = n }
	if os.Getenv("ZNOHEAD") != "" { o.Events.RateLimit.Headers = false }
	if v := os.Getenv("ZHALF"); v != "" { e := o.Events.RateLimit; f := o.Feed.RateLimit; if v == "2" {e.Requests*=2; f.Requests*=2} else { e.Requests/=2; f.Requests/=2}
		at,_ := strconv.Atoi(os.Getenv("ZAT")); o.Changes = []mockserver.Change{{After: time.Duration(at)*time.Second, EventsLimit: &e, FeedLimit: &f}} }
	inBubble(t, "", o, func(b *bench) {
		b.opts.Workers = -1
		if v := os.Getenv("ZW"); v != "" { b.opts.Workers, _ = strconv.Atoi(v) }
		if v := os.Getenv("ZJIT"); v != "" { ms,_ := strconv.Atoi(v); real := b.opts.Transport
			b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				d := time.Duration(rand.ExpFloat64()*float64(ms)*1e6); select { case <-time.After(d): case <-r.Context().Done(): return nil, r.Context().Err() }
				return real.RoundTrip(r) }) }
		began := time.Now()
		s, err := b.pull()
		took := time.Since(began)
		if v := b.server.Verify(); v != nil {fmt.Println("VERIFY", v)}
		ws, _ := b.store.Windows(t.Context())
		st := b.server.Stats()
		fmt.Println(err, "dups", s.Duplicate, "windows", len(ws), "requests", st.Events.Requests, st.Feed.Requests, "429", st.Events.Limited, st.Feed.Limited, "took", took, b.notes, "max", st.MaxInFlight)
		count := map[string]map[int]int{}
		for _, e := range b.server.Log() {
			k := fmt.Sprint(e.Endpoint, " ", e.Status)
			if count[k] == nil {count[k] = map[int]int{}}
			count[k][int(e.Time.Sub(began).Seconds()/60*scale)]++
			if os.Getenv("ZV") != "" { fmt.Println(e.Time.Sub(began), e.Endpoint, e.Status, e.Wait, e.Limit, e.Until) }
		}
		for k, v := range count { fmt.Print(k, ": "); for i := 0; i < 100 && i <= int(took.Seconds()/60*scale); i++ {fmt.Print(v[i], " ")}; fmt.Println() }
	})
}
