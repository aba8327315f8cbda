// Package lakerun starts datasync-lake, the program that talks to Iceberg catalogs and S3 buckets, and
// reads what it says.
//
// It promises that only a datasync-lake of this version is started, that it never outlives this process
// for long, and that its end without a result is an error. It does not know what a plan asks for.
package lakerun
