// Package outfile makes files and folders that are there whole or not at all.
//
// It writes to a file without a name or with a hidden name. Once everything has reached the disk,
// the file or folder takes the target's name in one step: a reader sees the old contents or the new
// ones, never a part. An existing target is replaced only on request.
//
// A kill leaves nothing: a file has no name until then if the system allows that, and a janitor
// process removes a folder. If something is left nevertheless, the next export to the same folder
// removes it. Hidden names are locked while they are in use.
//
// It does not know the contents.
package outfile
