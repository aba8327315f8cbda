// Package upload copies an export to a bucket.
//
// It promises that a reader of the manifest finds every file in it, even after a kill. New objects have new
// names. An upload writes the manifest last, and then removes the files that the manifest no longer names.
package upload
