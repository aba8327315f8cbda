package app

import (
	"fmt"
	"time"

	"datasync/internal/inspect"
)

// tellWaits tells of the waits in a file that are not kept to: no endpoint can have asked for
// the one kind, the user does not want the other to be kept. What becomes of them in the file
// stays says: a dry run leaves them there.
func tellWaits(notice func(string), implausible, forgotten []inspect.Wait, forget, stays bool) {
	if notice == nil {
		return
	}
	done := "dropped"
	if stays {
		done = "ignored"
	}
	for _, w := range implausible {
		notice(fmt.Sprintf("%s a wait in the file that is more than a day long: %s until %s", done, w.Endpoint, w.Until.UTC().Format(time.RFC3339)))
	}
	for _, w := range forgotten {
		notice(fmt.Sprintf("%s a wait at your word (--forget-waits): %s asked to be left alone until %s, for another %s", done,
			w.Endpoint, w.Until.UTC().Format(time.RFC3339), time.Until(w.Until).Round(time.Second)))
	}
	if forget && len(forgotten) == 0 {
		notice("there is no wait to forget (--forget-waits)")
	}
}
