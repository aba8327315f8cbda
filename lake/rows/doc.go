// Package rows writes batches of a datasync file to Parquet files for an Iceberg table, in bounded memory.
package rows
