package lake_test

import (
	"testing"

	"datasync/lake/laketest"
)

// TestAnotherService has a table without a catalog in versitygw, through a proxy that fails 3 requests in 10.
func TestAnotherService(t *testing.T) {
	s := laketest.Versity(t)
	f := laketest.NewFile(t, "http://a.test:80")
	url := "s3://" + s.Bucket
	for round := range 3 {
		f.Add(t, 2, 100, 2)
		plan := laketest.Plan(t, s, f, url, "deep.er.events")
		decide := laketest.Lossy(uint64(round), laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer)
		throughProxy(t, s, "folder", &plan, decide)
		exported(t, s, plan)
		equal(t, s, url, plan.Table.Name, f, int64(2*round+2))
	}
}
