package lake_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// isCommit tells whether a request commits to a table of events: in a REST catalog by POST, without one by
// the creation of a numbered metadata file.
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

// TestKills kills an export at the n-th request that a proxy sees, before the server has it or after, and
// exports the rest.
func TestKills(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			name := "web.kills"
			for round := range 8 {
				f.Add(t, 2, 200, 2)
				kill(t, s, kind, laketest.Plan(t, s, f, url, name), 1+round*3, round%2 == 1)
				exported(t, s, laketest.Plan(t, s, f, url, name))
				equal(t, s, url, name, f, int64(2*round+2))
			}
		})
	}
}

// kill ends an export by SIGKILL at a request to the server that takes the commits.
func kill(t *testing.T, s laketest.Server, kind string, plan model.LakePlan, at int, after bool) {
	t.Helper()
	var mu sync.Mutex
	var victim *laketest.Process
	seen := 0
	started := make(chan struct{})
	throughProxy(t, s, kind, &plan, func(r *http.Request) laketest.Fault {
		<-started
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen == at {
			if err := syscall.Kill(victim.Process.Pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			if after {
				return laketest.LoseAnswer
			}
			return laketest.Drop
		}
		return laketest.None
	})
	victim = laketest.Start(t, s.Environ(), plan)
	close(started)
	victim.Await(t, nil)
	t.Logf("killed at request %d of %d seen: code %d", at, seen, victim.ProcessState.ExitCode())
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
