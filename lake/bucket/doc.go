// Package bucket reads and writes the objects of an S3 bucket. Its errors name bucket and key, and no
// credential.
package bucket
