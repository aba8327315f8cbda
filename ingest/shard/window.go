package shard

import (
	"database/sql"
	"slices"

	"datasync/internal/model"
)

// Window is the checkpoint of a window, followed by those of the shards that were split off from it, from
// newer to older.
type Window []model.Checkpoint

// Windows groups the checkpoints of a file, the newest window first. It leaves out opened windows
// without a committed page: the next window replaces them, with borders of its own.
func Windows(checkpoints []model.Checkpoint) (found []Window) {
	for _, k := range checkpoints {
		if n := len(found); n > 0 && found[n-1][0].Whole == k.Whole {
			found[n-1] = append(found[n-1], k)
		} else if !k.NeverBegun() {
			found = append(found, Window{k})
		}
	}
	return found
}

// Lower returns the border down to which the window is walked.
func (w Window) Lower() sql.Null[model.Instant] { return w[len(w)-1].Lower }

// ToTheEnd reports whether the window goes down to the start bound or to the API's oldest event.
func (w Window) ToTheEnd() bool { return w[len(w)-1].ToTheEnd() }

// Unfinished returns the newest checkpoint that is not done, if there is one.
func (w Window) Unfinished() (model.Checkpoint, bool) {
	i := slices.IndexFunc(w, func(k model.Checkpoint) bool { return k.State != model.Done })
	if i < 0 {
		return model.Checkpoint{}, false
	}
	return w[i], true
}

// IsDone reports whether nothing is left to walk.
func (w Window) IsDone() bool {
	_, open := w.Unfinished()
	return !open
}
