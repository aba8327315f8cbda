// Package figures computes what the events of a file add up to: counts by hour, type, page,
// device and browser; users, sessions, a funnel and retention; and what differed in the worst hour.
//
// It promises that each figure is the result of one SQL statement on the file, or follows from
// such results by arithmetic that a person can repeat. Days and hours are those of DuckDB's
// session time zone. It knows neither how a figure is drawn nor who asks.
package figures
