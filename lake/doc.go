// Package lake keeps an Iceberg table up to date with the events of a datasync file, exactly once.
//
// It promises that the table has every event of the batches that its position names, once, or that an
// export refuses to touch it and says why.
package lake
