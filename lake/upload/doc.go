// Package upload copies an export to a bucket.
//
// It promises that a reader of the manifest finds every file that it names, whenever the upload ends: new
// objects have names of their own, the manifest is written last, and what it no longer names is removed
// after that.
package upload
