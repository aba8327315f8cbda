package app

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"syscall"

	"datasync/export"
	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/dryrun"
	"datasync/ingest/walk"
	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// The topics that something else than an error leads to.
const (
	topicKilled     = "killed"
	topicRejected   = "rejected"
	topicConflicts  = "conflicts"
	topicMissing    = "events-missing"
	topicUnusable   = "unusable"
	topicIncomplete = "incomplete"
	topicNoSocket   = "no-socket"
)

// topic is a section of docs/operations.md, and what leads a person there.
type topic struct {
	name string
	// leads reports whether an error is one of the topic; nil where none is.
	leads func(error) bool
	// met is where else a person meets it: the command whose output names it, or "" for
	// what nothing names, as the program does not see it.
	met string
}

// topics has them in the order in which an error is looked for: the first that it leads to
// is the one that its line names. That is the order of exitCode, too.
var topics = []topic{
	{name: "key-refused", leads: is(api.ErrKeyRefused)},
	{name: "page-loop", leads: is(walk.ErrLoop, walk.ErrNoCursor)},
	{name: topicMissing, leads: is(walk.ErrMissing), met: "status"},
	{name: topicUnusable, leads: is(ingest.ErrUnusable), met: "status"},
	{name: "unsound", leads: is(errUnsound)},
	{name: "export-history", leads: is(export.ErrHistory)},
	{name: "no-file", leads: is(dbfile.ErrMissing)},
	{name: "disk-full", leads: func(err error) bool {
		return is(dbfile.ErrFull, dbfile.ErrRoom, outfile.ErrFull)(err) || refusedFor(err, dbfile.ErrRoom)
	}},
	{name: "damaged-log", leads: is(dbfile.ErrUnreplayed, dbfile.ErrLog)},
	{name: "damaged", leads: is(dbfile.ErrDamaged)},
	{name: "not-ours", leads: is(dbfile.ErrForeign)},
	{name: "other-api", leads: is(dbfile.ErrOrigin)},
	{name: "other-version", leads: is(dbfile.ErrNewer, dbfile.ErrOlder)},
	{name: "suspended", leads: is(live.ErrSilent)},
	{name: "locked", leads: func(err error) bool {
		return is(dbfile.ErrLocked, live.ErrBusy)(err) || refusedFor(err, dbfile.ErrLocked)
	}},
	{name: "no-access", leads: is(dbfile.ErrAccess)},
	{name: "untrusted", leads: is(dbfile.ErrBeside, owned.ErrNot)},
	{name: "memory", leads: is(dbfile.ErrMemory)},
	{name: "limits", leads: is(dbfile.ErrLimit, syscall.EMFILE, syscall.ENFILE)},
	{name: "too-old", leads: is(errTooOld)},
	{name: "api-wait", leads: is(dispatch.ErrClosed, dispatch.ErrLimited, dryrun.ErrNotNow)},
	{name: "wrong-address", leads: wrongAddress},
	{name: "certificate", leads: notTrusted},
	{name: "no-headway", leads: is(walk.ErrNoProgress, api.ErrCursorExpired)},
	{name: "api-failing", leads: is(errPull)},
	{name: topicKilled, met: "status"},
	{name: topicIncomplete, met: "export"},
	{name: topicRejected, met: "status"},
	{name: topicConflicts, met: "status"},
	{name: topicNoSocket, met: "pull"},
	{name: "notices"},
	{name: "moved-file"},
	{name: "network-folder"},
	{name: "clock"},
}

// is returns whether an error is one of the targets.
func is(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

// notTrusted reports whether err is that no TLS connection came about.
func notTrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	return errors.As(err, &certificate) || errors.As(err, &alert)
}

// refusedFor reports whether a running pull has refused for that reason, of which only the
// text comes over its socket.
func refusedFor(err, reason error) bool {
	var refused *live.RefusedError
	return errors.As(err, &refused) && strings.Contains(refused.Text, reason.Error())
}

// errorLine is what a person reads of an error: one line, and at its end the topic that
// says more of what to do. Wrong usage has none: its line says all.
func errorLine(err error) string {
	var parts []string
	for part := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.Contains(parts, part) { // as where something failed twice for one reason
			parts = append(parts, part)
		}
	}
	line := strings.Join(parts, "; ")
	if exitCode(err) == 2 {
		return line
	}
	for _, t := range topics {
		if t.leads != nil && t.leads(err) {
			return line + see(t.name)
		}
	}
	return line
}

// see names a topic at the end of a line.
func see(name string) string { return " (datasync explain " + name + ")" }
