package app

import "slices"

// The topics that a command names for something other than an error.
const (
	topicKilled     = "killed"
	topicRejected   = "rejected"
	topicConflicts  = "conflicts"
	topicMissing    = "events-missing"
	topicUnusable   = "unusable"
	topicIncomplete = "incomplete"
	topicNoSocket   = "no-socket"
)

// topics are the sections of docs/operations.md, in the order in which explain lists them.
var topics = []string{
	"key-refused", "page-loop", topicMissing, topicUnusable, "unsound", "export-history", "no-file", "disk-full", "damaged-log",
	"damaged", "not-ours", "other-api", "other-version", "suspended", "locked", "no-access", "untrusted", "memory", "limits",
	"too-old", "lake", "api-wait", "wrong-address", "certificate", "no-headway", "api-failing", topicKilled, topicIncomplete,
	topicRejected, topicConflicts, topicNoSocket, "notices", "moved-file", "network-folder", "clock",
}

func isTopic(name string) bool { return slices.Contains(topics, name) }

// see names a topic at the end of a line.
func see(topic string) string { return " (datasync explain " + topic + ")" }
