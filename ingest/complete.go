package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"datasync/ingest/api"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/human"
	"datasync/internal/model"
)

// docs/complete.md defines "complete": windows that were walked to their ends prove it, and the API's total
// can only contradict it.

// finish makes the closing check of a pull whose windows are all done. It compares the number of elements in
// the file with the API's total.
func (p *pull) finish(ctx context.Context, newest shard.Window) error {
	if err := p.allDone(ctx); err != nil {
		return err
	}
	// No more pages come, and the closing check needs memory.
	p.buffers.Free()
	finalized, err := p.Store.Finalize(ctx, p.id, newest[0].Window)
	if err != nil {
		return err
	}
	p.counters.finalize(finalized)
	p.counters.From = newest[0].StartBound
	witness, err := p.Store.Witness(ctx)
	if err != nil {
		return err
	}
	p.counters.Witness = witness
	here := finalized.Events + finalized.Rejected
	missing, err := p.weigh(ctx, &witness, here, newest.ToTheEnd())
	if err != nil {
		return err
	}
	if err := p.counters.unusable(finalized.Events); err != nil {
		return err
	}
	return missing
}

// weigh compares the number of elements in the file with the API's totals, and keeps a deficit for the next
// pull. Missing is a walk.ErrMissing if events are missing.
func (p *pull) weigh(ctx context.Context, w *model.Witness, here int64, toTheEnd bool) (missing, err error) {
	before, err := p.Store.Deficit(ctx)
	if err != nil {
		return nil, err
	}
	balance := w.Weigh(here)
	p.counters.Balance = balance
	var now model.Deficit
	if b := balance.V; b.Missing > 0 {
		now = model.Deficit{Missing: b.Missing, Total: w.First.V}
		same := before.Missing == now.Missing && before.Total == now.Total
		now.Walked = same && (before.Walked || toTheEnd)
		next := "the next pull walks to the end"
		if now.Walked {
			next = "a walk to the end did not find them: the API may count events that it does not serve"
		}
		missing = fmt.Errorf("%w: at least %s of the %s that the API counts; %s are here, rejects and copies included; %s",
			walk.ErrMissing, human.Thousands(b.Missing), human.Thousands(min(w.First.V, w.Last.V)), human.Thousands(here+b.Copies), next)
	}
	if now == before {
		return missing, nil
	}
	return missing, p.Store.SetDeficit(ctx, now)
}

// unusable returns an ErrUnusable if most elements that came could not be stored: such a file is of little
// use.
func (t *counters) unusable(events int64) error {
	met := t.Returned - t.Outside
	if !model.Unusable(events, met, t.Stored, t.Rejected) {
		return nil
	}
	text := t.reasons()
	if t.Sample != "" {
		text += ", such as " + api.Quote(t.Sample)
	}
	return fmt.Errorf("%w: of %s that came %s could not be stored%s", ErrUnusable, human.Counted(met, "element"), human.Thousands(met-t.Stored), text)
}

// reasons lists the reasons of new rejects in parentheses; "" if there are none.
func (t *counters) reasons() string {
	if len(t.Reasons) == 0 {
		return ""
	}
	var reasons []string
	for reason, n := range t.Reasons {
		reasons = append(reasons, fmt.Sprintf("%s %s", human.Thousands(n), reason))
	}
	slices.Sort(reasons)
	return fmt.Sprintf(" (%s)", strings.Join(reasons, ", "))
}
