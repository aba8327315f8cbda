package inspect

// comments returns the comments that the file lacks on the columns of one of our tables.
func comments(table string) map[string]string {
	switch table {
	case "events":
		return eventComments()
	case "events_flat":
		return flatComments()
	case "rejected_events":
		return rejectComments()
	case "checkpoint", "checkpoints":
		return checkpointComments()
	case "page_log":
		return pageComments()
	case "runs":
		return runComments()
	case "meta":
		return metaComments()
	}
	return nil
}

func eventComments() map[string]string {
	return map[string]string{
		"id":          "the event's id at the API",
		"session_id":  "the session in which it happened",
		"user_id":     "the user; NULL if the API sent none, or no UUID",
		"type":        "what happened, such as page_view",
		"name":        "the event's name; NULL if it came with none",
		"device_type": "the session's device, such as mobile",
		"browser":     "the session's browser",
	}
}

func flatComments() map[string]string {
	return map[string]string{
		"day":  "the day on which it happened, in the connection's time zone",
		"page": "the member page of properties; NULL if it has none",
	}
}

func rejectComments() map[string]string {
	return map[string]string{
		"raw":        "the element's own text, with bytes that are no UTF-8 as \\xff",
		"reason":     "why it is no event, such as missing_id",
		"reject_key": "equal whenever the same element comes; each occurs once",
		"id":         "the element's id, if it was a UUID",
		"endpoint":   "which endpoint sent it: events or feed",
		"batch":      "number of the commit that stored the row",
		"timestamp":  "its instant, if that can be read",
	}
}

func checkpointComments() map[string]string {
	return map[string]string{
		"window_id":         "windows are numbered upward, as are their shards",
		"state":             "not_begun, under_way or done",
		"upper":             "the instant of its newest event",
		"lower":             "the lower border of its walk; NULL for the end",
		"cursor":            "requests the next page; NULL if that is the first",
		"cursor_expires_at": "when the cursor expires, by this machine's clock",
		"last_timestamp":    "everything from the newest event down to this is stored",
		"last_id":           "the last event stored, at last_timestamp",
		"whole":             "the window of which this is a shard, or the window itself",
		"begins":            "the upper border of a shard; NULL if the walk begins at the newest event",
		"first_timestamp":   "the instant of the first event of a shard",
		"first_id":          "that event, which the shard above must reach",
		"absorbed":          "the shard was merged into the one above, which walks it again",
		"pages":             "its pages in page_log",
		"events":            "the events on them",
		"walked":            "elements returned since the walk last began at the newest event",
		"total":             "how many events the API had when the window began",
		"unordered":         "events came out of order in it",
		"updated_at":        "when the row last changed",
		"floor":             "the start bound: events before it are not stored; NULL if there is none",
		"page_total":        "how many events the API had, as of the last page that was read",
		"cursor_before":     "the cursor that requested the last page that was read; empty for a first page",
		"top_at":            "when the walk began at the newest event; NULL if an older version walked",
		"copies":            "exact copies: elements that the API served twice on a page",
		"ran_out":           "the API had no more pages above the lower border",
		"failed_runs":       "runs in a row that failed at this cursor",
		"writer":            "which of the two concurrent writers wrote the row",
	}
}

func pageComments() map[string]string {
	return map[string]string{
		"batch":           "number of the commit that stored the page",
		"run":             "the pull that fetched it, as in runs",
		"window_id":       "the window to which it belongs, as in checkpoint",
		"endpoint":        "events or feed", // the first version of the schema has no comment
		"request_id":      "the API's name of the request",
		"cursor_received": "hash of the cursor that came with the page; NULL for a last page",
		"first_timestamp": "the instant of the page's first event",
		"first_id":        "the id of its first event",
		"last_timestamp":  "the instant of its last event",
		"last_id":         "the id of its last event",
		"returned":        "how many elements it had",
		"stored":          "how many of them were new events",
		"duplicate":       "how many were known already",
		"conflict":        "how many of the duplicates differed from the stored event",
		"rejected":        "how many cannot be events and were not known",
		"resumed":         "it was not requested by the cursor of the page before",
	}
}

func runComments() map[string]string {
	return map[string]string{
		"run":             "names the pull",
		"tool_version":    "the datasync that ran",
		"began_at":        "when it began",
		"ended_at":        "when it ended; NULL while it runs, or if it was killed",
		"outcome":         "running, complete, interrupted, failed or killed",
		"reason":          "why the pull is not complete; NULL if it is, runs or was killed",
		"resumed_from":    "the event after which it resumed",
		"stored":          "events that it stored",
		"duplicate":       "elements that were known already",
		"conflict":        "duplicates that differed from the stored event",
		"rejected":        "elements that cannot be events and were not known",
		"events_requests": "requests to the events endpoint",
		"events_429s":     "how many of those were answered by 429",
		"feed_requests":   "requests to the feed",
		"feed_429s":       "how many of those were answered by 429",
		"waiting_s":       "seconds without a request, because of rate limits or failures",
		"fetching_s":      "seconds in which requests were under way",
		"writing_s":       "seconds of writing, which overlap the others",
	}
}

func metaComments() map[string]string {
	return map[string]string{
		"key":   "such as schema_version or origin",
		"value": "as text",
	}
}

// reworded returns the present wording of a comment that a migration stored. Migrations do not change
// once files have them. A comment that is not ours stays.
func reworded(stored string) string {
	switch stored {
	case "one row an event; each id stands once":
		return "one row an event; each id occurs once"
	case "where the walk of each window of time stands: not_begun, under_way or done",
		"where the walk of each window of time, or of each part of one, stands: not_begun, under_way or done":
		return "the walk of each window of time, or of each shard of one: not_begun, under_way or done"
	case "runs in a row that failed while the walk stood at this cursor":
		return "runs in a row that failed at this cursor"
	}
	return stored
}
