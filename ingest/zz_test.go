package ingest_test
import ("testing";"datasync/mockserver";"fmt";"time")
func TestZZ(t *testing.T) {
	for _, w := range []int{1,2,4,8} {
	for _, ties := range []bool{false,true} {
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 10000}, Feed: mockserver.Pages{Until: mockserver.Exclusive, Cap:100}, Events: mockserver.Pages{Cap:100}}
	if ties {o.Data.TieEvery=300;o.Data.TieSize=220}
	o.Events.Latency, o.Feed.Latency = time.Second, time.Second
	inBubble(t, fmt.Sprint(w, ties), o, func(b *bench) {
		b.opts.Workers = w
		began := time.Now()
		s := b.mustPull()
		ws, _ := b.store.Windows(t.Context())
		st := b.server.Stats()
		fmt.Println(w, ties, "dups", s.Duplicate, "windows", len(ws), "requests", st.Events.Requests, st.Feed.Requests, "took", time.Since(began), b.notes, "max", st.MaxInFlight)
	})
	}}
}
