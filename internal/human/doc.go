// Package human reads counts, sizes, durations and dates as people write them; its errors suggest a
// valid value. It writes counts and durations for messages.
//
// It promises that a text means one thing or is refused: 300.000 is not a count, and 5 is not a duration.
// It imports nothing of this program and knows neither options nor SQL.
package human
