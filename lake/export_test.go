package lake_test

import (
	"testing"

	"datasync/lake/laketest"
)

func TestExportOverREST(t *testing.T) {
	s := laketest.Weed(t)
	f := laketest.NewFile(t, "http://a.test:80")
	f.Add(t, 3, 1000, 4)
	plan := laketest.Plan(t, s, f, s.URL, "web.events")
	a := laketest.Run(t, s, plan)
	if a.Code != 0 {
		t.Fatalf("code %d, error %+v", a.Code, a.Error)
	}
	t.Logf("%+v", a.Result.Events)
}
