package lake_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// isCommit reports whether a request commits to a table of events: by POST to a REST catalog, or by the
// creation of a numbered metadata file.
func isCommit(r *http.Request) bool {
	if r.Method == http.MethodPost {
		return strings.Contains(r.URL.Path, "/tables/")
	}
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json") && !strings.HasSuffix(r.URL.Path, "/v1.metadata.json")
}

// throughProxy puts a proxy before the server that takes the commits of a kind of catalog.
func throughProxy(t *testing.T, s laketest.Server, kind string, plan *model.LakePlan, decide func(*http.Request) laketest.Fault) *laketest.Proxy {
	t.Helper()
	if kind == "rest" {
		address, query, _ := strings.Cut(s.URL, "?")
		p := laketest.NewProxy(t, address, decide)
		plan.Table.Catalog = p.URL + "?" + query
		return p
	}
	p := laketest.NewProxy(t, s.S3, decide)
	plan.Endpoint = p.URL
	return p
}

func TestLostAnswerOfACommit(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 2, 500, 3)
			plan := laketest.Plan(t, s, f, url, "web.lost")
			var commits atomic.Int64
			p := throughProxy(t, s, kind, &plan, func(r *http.Request) laketest.Fault {
				if isCommit(r) && commits.Add(1) == 1 {
					return laketest.LoseAnswer
				}
				return laketest.None
			})
			r := exported(t, s, plan)
			if r.Events.Added != 1000 || r.Events.Commits != 1 || r.Events.Rows != 1000 || p.Count(laketest.LoseAnswer) != 1 {
				t.Errorf("result %+v after %d lost answers", r.Events, p.Count(laketest.LoseAnswer))
			}
			equal(t, s, url, plan.Table.Name, f, 2)
		})
	}
}

// TestLostAnswerAndAnotherExporter has another exporter continue from a commit whose response was lost,
// before the first one reloads. The table has the files of both.
func TestLostAnswerAndAnotherExporter(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 4, 60, 2)
			plan := laketest.Plan(t, s, f, url, "web.overtaken")
			plan.CommitRows = 100
			lost, other := make(chan struct{}), make(chan struct{})
			var commits atomic.Int64
			first := plan
			table := *plan.Table
			first.Table = &table
			throughProxy(t, s, kind, &first, func(r *http.Request) laketest.Fault {
				switch {
				case commits.Load() > 0:
					<-other
				case isCommit(r):
					commits.Add(1)
					defer close(lost)
					return laketest.LoseAnswer
				}
				return laketest.None
			})
			p := laketest.Start(t, s.Environ(), first)
			var a laketest.Answer
			var waiting sync.WaitGroup
			waiting.Go(func() { a = p.Await(t, nil) })
			<-lost
			for s.Load(t, url, plan.Table.Name).CurrentSnapshot() == nil { // the server has the request, maybe not done
				runtime.Gosched()
			}
			r := exported(t, s, plan)
			close(other)
			waiting.Wait()
			if a.Code != 0 || a.Result.Events.Added != 60 || r.Events.Added != 180 {
				t.Errorf("the first: %+v, %+v; the other %+v", a.Result, a.Error, r.Events)
			}
			equal(t, s, url, plan.Table.Name, f, 4)
		})
	}
}

func TestCommitThatDoesNotArrive(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		for name, fault := range map[string]laketest.Fault{"refused": laketest.Refuse, "dropped": laketest.Drop} {
			t.Run(kind+" "+name, func(t *testing.T) {
				f := laketest.NewFile(t, "http://a.test:80")
				f.Add(t, 2, 500, 3)
				plan := laketest.Plan(t, s, f, url, "web.unsent_"+name)
				var commits atomic.Int64
				throughProxy(t, s, kind, &plan, func(r *http.Request) laketest.Fault {
					if isCommit(r) && commits.Add(1) <= 2 {
						return fault
					}
					return laketest.None
				})
				if r := exported(t, s, plan); r.Events.Added != 1000 || r.Events.Rows != 1000 || r.Files != 3 {
					t.Errorf("result %+v", r.Events)
				}
				equal(t, s, url, plan.Table.Name, f, 2)
			})
		}
	}
}

func TestFourExportersAtOnce(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 4, 500, 3)
			other := laketest.NewFile(t, "http://b.test:80")
			other.Add(t, 3, 400, 3)
			var all sync.WaitGroup
			answers := make([]laketest.Answer, 5)
			for i := range answers {
				plan := laketest.Plan(t, s, f, url, "web.four")
				if i == 4 {
					plan = laketest.Plan(t, s, other, url, "web.four")
				}
				p := laketest.Start(t, s.Environ(), plan)
				all.Go(func() { answers[i] = p.Await(t, nil) })
			}
			all.Wait()
			added := int64(0)
			for i, a := range answers {
				if a.Code != 0 {
					t.Errorf("exporter %d: %+v", i, a.Error)
					continue
				}
				added += a.Result.Events.Added
			}
			if added != 3200 {
				t.Errorf("they added %d rows, want 3200", added)
			}
			equal(t, s, url, "web.four", f, 4)
			equal(t, s, url, "web.four", other, 3)
		})
	}
}

// kills is the number of killed exports for each kind of catalog.
var kills = flag.Int("kills", 6, "kill `N` exports over each kind of catalog")

// TestKills kills an export at a request, to the bucket or to the catalog, before the server has it or
// after, and exports the rest.
func TestKills(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			name := "web.kills"
			random := rand.New(rand.NewPCG(21, 4))
			killed := 0
			for round := range *kills {
				f.Add(t, 3, 60, 2)
				plan := laketest.Plan(t, s, f, url, name)
				plan.CommitRows = 100
				at := 1 + random.IntN(30)
				if kill(t, s, kind, plan, at, round%2 == 1) {
					killed++
				}
				if round%3 > 0 { // else the next export has two of them to mend
					exported(t, s, laketest.Plan(t, s, f, url, name))
					equal(t, s, url, name, f, int64(3*round+3))
				}
			}
			exported(t, s, laketest.Plan(t, s, f, url, name))
			equal(t, s, url, name, f, int64(3**kills))
			t.Logf("%d of %d exports were killed before they ended", killed, *kills)
			if killed == 0 {
				t.Error("no export was killed")
			}
		})
	}
}

// allProxied puts proxies before the bucket and the catalog, which share a decision.
func allProxied(t *testing.T, s laketest.Server, kind string, plan *model.LakePlan, decide func(*http.Request) laketest.Fault) {
	t.Helper()
	plan.Endpoint = laketest.NewProxy(t, s.S3, decide).URL
	if kind == "rest" {
		throughProxy(t, s, kind, plan, decide)
	}
}

// kill ends an export by SIGKILL at a request, and reports whether it reached the request.
func kill(t *testing.T, s laketest.Server, kind string, plan model.LakePlan, at int, after bool) bool {
	t.Helper()
	var mu sync.Mutex
	var victim *laketest.Process
	seen := 0
	started := make(chan struct{})
	allProxied(t, s, kind, &plan, func(*http.Request) laketest.Fault {
		<-started
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen != at {
			return laketest.None
		}
		if err := victim.Process.Kill(); err != nil {
			t.Error(err)
		}
		if after {
			return laketest.LoseAnswer
		}
		return laketest.Drop
	})
	victim = laketest.Start(t, s.Environ(), plan)
	close(started)
	a := victim.Await(t, nil)
	return a.Result == nil
}

// TestEverythingAtOnce kills exporters, while bucket and catalog fail 3 of 10 requests.
func TestEverythingAtOnce(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 12, 60, 2)
			name := "web.everything"
			exported(t, s, laketest.Plan(t, s, laketest.NewFile(t, "http://b.test:80"), url, name)) // creates the table
			var all sync.WaitGroup
			for i := range 4 {
				plan := laketest.Plan(t, s, f, url, name)
				plan.CommitRows = 100
				var mu sync.Mutex
				lossy := laketest.Lossy(uint64(i), laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer)
				seen, at := 0, 25+10*i
				var p *laketest.Process
				started := make(chan struct{})
				allProxied(t, s, kind, &plan, func(r *http.Request) laketest.Fault {
					<-started
					mu.Lock()
					defer mu.Unlock()
					if seen++; seen == at && i%2 == 0 {
						_ = p.Process.Kill()
					}
					return lossy(r)
				})
				p = laketest.Start(t, s.Environ(), plan)
				close(started)
				all.Go(func() {
					if a := p.Await(t, nil); a.Error != nil {
						t.Logf("exporter %d ended with %+v", i, a.Error)
					}
				})
			}
			all.Wait()
			exported(t, s, laketest.Plan(t, s, f, url, name))
			equal(t, s, url, name, f, 12)
		})
	}
}

func TestLossyBucket(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			plan := laketest.Plan(t, s, f, url, "web.lossy")
			p := laketest.NewProxy(t, s.S3, laketest.Lossy(7, laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer))
			plan.Endpoint = p.URL
			if kind == "rest" {
				address, query, _ := strings.Cut(s.URL, "?")
				c := laketest.NewProxy(t, address, laketest.Lossy(11, laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer))
				plan.Table.Catalog = c.URL + "?" + query
			}
			for round := range 3 {
				f.Add(t, 2, 200, 3)
				exported(t, s, plan)
				equal(t, s, url, plan.Table.Name, f, int64(2*round+2))
			}
			if p.Count(laketest.LoseAnswer)+p.Count(laketest.Refuse)+p.Count(laketest.Drop)+p.Count(laketest.CutAnswer) == 0 {
				t.Error("no request failed")
			}
		})
	}
}

func TestSignalsAndTheEndOfTheParent(t *testing.T) {
	s := laketest.Weed(t)
	for name, end := range map[string]func(*laketest.Process){
		"130": func(p *laketest.Process) { _ = p.Process.Signal(syscall.SIGINT) },
		"143": func(p *laketest.Process) { _ = p.Process.Signal(syscall.SIGTERM) },
		"1":   func(p *laketest.Process) { p.Leave() },
	} {
		t.Run(name, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 1, 100, 1)
			plan := laketest.Plan(t, s, f, s.URL, "web.signals"+name)
			var p *laketest.Process
			reached, held := make(chan struct{}), make(chan struct{})
			throughProxy(t, s, "rest", &plan, func(r *http.Request) laketest.Fault {
				if isCommit(r) {
					close(reached)
					<-held
				}
				return laketest.None
			})
			p = laketest.Start(t, s.Environ(), plan)
			go func() {
				<-reached
				end(p)
			}()
			a := p.Await(t, nil)
			close(held)
			if fmt.Sprint(a.Code) != name || a.Error == nil || a.Error.Code != a.Code {
				t.Errorf("code %d, error %+v", a.Code, a.Error)
			}
		})
	}
}

func TestCredentialsStaySecret(t *testing.T) {
	s := laketest.Weed(t)
	f := laketest.NewFile(t, "http://a.test:80")
	f.Add(t, 1, 100, 1)
	plan := laketest.Plan(t, s, f, s.URL, "web.secret")
	wrong := s
	wrong.Credential = laketest.AccessKey + ":wrong-secret-of-a-client"
	a := laketest.Run(t, wrong, plan)
	if a.Code != model.ExitError || a.Error == nil || a.Error.Topic != "lake" || strings.Contains(a.Error.Text, "wrong-secret") || !strings.Contains(a.Error.Text, "DATASYNC_CATALOG_CREDENTIAL") {
		t.Errorf("code %d, error %+v", a.Code, a.Error)
	}
	exported(t, s, plan)
	text, err := s.Load(t, s.URL, plan.Table.Name).Files.ReadFile(s.Load(t, s.URL, plan.Table.Name).MetadataLocation())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), laketest.SecretKey) {
		t.Error("the table's metadata has the secret")
	}
}
