// Package lake keeps an Iceberg table up to date with the events of a datasync file, exactly once.
//
// It promises that the table has each event up to its position exactly once. Otherwise an export refuses to
// change the table, and says why.
package lake
