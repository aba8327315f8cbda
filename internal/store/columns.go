package store

import (
	"database/sql"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// The columns of table events, in the order of the table.
const (
	eventID = iota
	eventSessionID
	eventUserID
	eventType
	eventName
	eventTimestamp
	eventProperties
	eventDeviceType
	eventBrowser
	eventExtra
	eventBatch
)

// The columns of table incoming: a number, then those of an event up to eventExtra.
const (
	incomingN = iota
	incomingEvent
)

// The columns of table incoming_rejects.
const (
	rejectN = iota
	rejectRaw
	rejectReason
	rejectKey
	rejectID
	rejectTimestamp
	rejectEndpoint
)

// The columns of table page_log, in the order of the table.
const (
	pageBatch = iota
	pageRun
	pageWindow
	pageEndpoint
	pageRequestID
	pageCursorSent
	pageCursorReceived
	pageFirstTimestamp
	pageFirstID
	pageLastTimestamp
	pageLastID
	pageReturned
	pageStored
	pageDuplicate
	pageConflict
	pageRejected
	pageResumed
	pageUntil
	pageOutside
	pageChecksum
)

// The columns of table batches, in the order of the table.
const (
	fetchedBatch = iota
	fetchedRun
	fetchedEndpoint
	fetchedCommittedAt
	fetchedBatches
	fetchedPages
	fetchedReturned
	fetchedBytes
	fetchedWireBytes
	fetchedTook
	fetchedInFlight
)

// The columns of table waits, in the order of the table.
const (
	waitBatch = iota
	waitRun
	waitEndpoint
	waitReason
	waitAnswer
	waitBeganAt
	waitEndedAt
	waitWaits
	waitOrdered
	waitActual
	waitWaiting
)

// The columns of table refusals, in the order of the table.
const (
	refusalBatch = iota
	refusalRun
	refusalEndpoint
	refusalRefused
	refusalAnswer
	refusalFirstAt
	refusalLastAt
	refusalRefusals
)

// The column of table candidates.
const candidateID = 0

// setInstant writes t, or NULL if it is not valid.
func setInstant(c *duck.Column, row int, t sql.Null[model.Instant]) {
	if !t.Valid {
		c.Null(row)
		return
	}
	c.Int64(row, int64(t.V))
}

// setPosition writes the two halves of p, or NULL to both columns if it is not valid.
func setPosition(instant, id *duck.Column, row int, p sql.Null[model.Position]) {
	if !p.Valid {
		instant.Null(row)
		id.Null(row)
		return
	}
	instant.Int64(row, int64(p.V.Timestamp))
	id.UUID(row, p.V.ID)
}
