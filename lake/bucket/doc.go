// Package bucket reads and writes the objects of an S3 bucket. Its errors name the bucket and the key, but
// never a credential.
package bucket
