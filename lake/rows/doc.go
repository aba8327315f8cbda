// Package rows writes batches of a datasync file to Parquet files as an Iceberg table needs them, in
// bounded memory.
package rows
