package inspect

import (
	"encoding/json"
	"strings"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// endingNote begins a note of how a run ended.
const endingNote = "ending "

// FormatEnding returns the note of how a run ended, on one line, for the lock file.
func FormatEnding(r model.Run) (string, error) {
	text, err := json.Marshal(r)
	return endingNote + string(text), err
}

// ReadEndings returns the endings that a pull noted in the lock file because the database could not
// take them, by run. It ignores lines that it cannot read: a full disk may leave half a line.
func ReadEndings(notes string) map[uuid.UUID]model.Run {
	endings := map[uuid.UUID]model.Run{}
	for line := range strings.Lines(notes) {
		var r model.Run
		text, ok := strings.CutPrefix(line, endingNote)
		if ok && json.Unmarshal([]byte(text), &r) == nil && r.Outcome != "" {
			endings[r.ID] = r
		}
	}
	return endings
}

// takeEndings completes the runs that have not ended: by their notes, else as killed. The file could be
// opened, so no pull has it open.
func (s *Status) takeEndings(endings map[uuid.UUID]model.Run) {
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.Outcome != "running" {
			continue
		}
		id, err := uuid.Parse(r.Run)
		end, noted := endings[id]
		if err != nil || !noted {
			r.Outcome = "killed"
			continue
		}
		ended, waiting := end.Ended.UTC(), end.Waiting.Seconds()
		r.Ended, r.Outcome, r.Reason, r.Waiting = &ended, end.Outcome, &end.Reason, &waiting
		r.Stored, r.Duplicate, r.Rejected = &end.Counts.Stored, &end.Counts.Duplicate, &end.Counts.Rejected
	}
}
