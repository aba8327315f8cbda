package app

import (
	"fmt"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/term"
)

// lockWait says how long the command waits for other processes that have the file open.
func (o *pullOptions) lockWait() dbfile.Wait {
	wait := dbfile.Wait{For: o.wait}
	if !o.quiet {
		wait.Notice = func(holder *dbfile.Holder) { o.io.Say(waitingFor(holder, o.database, o.wait)) }
	}
	return wait
}

// waitingFor says which process has the file open, and how long the command waits for it.
func waitingFor(holder *dbfile.Holder, database string, wait time.Duration) string {
	name := "another process"
	if holder != nil {
		name = holder.Name()
	}
	if wait == 0 {
		wait = dbfile.ReaderPatience
	}
	return fmt.Sprintf("waiting up to %s for %s, which has %s open", term.Duration(wait), name, database)
}
