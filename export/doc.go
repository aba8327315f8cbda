// Package export hands the events of a datasync file on as other files.
//
// It promises that the target is the whole export or is what it was before: it is
// written under another name in the same folder and renamed when it has reached
// the disk. An existing target is replaced only if that is asked for, and only if
// it is a regular file.
//
// It knows nothing of the pull or of the command line.
package export
