// Package lakerun starts datasync-lake, the program for Iceberg catalogs and S3 buckets, and reads its
// output.
//
// It starts only a datasync-lake of this version, which ends soon after this process. An end without a
// result is an error. The package does not interpret plans.
package lakerun
