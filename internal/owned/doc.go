// Package owned tells what this user has put somewhere from what somebody else could have
// put there.
//
// Files and folders that the program finds by their names, such as a lock beside the database
// or the manifest of an export, are opened without following a link, and what was opened is
// looked at, not what has the name a moment later. A Dir is a folder that is held open: what
// is done in it is done to that folder, whatever becomes of its name.
//
// It knows nothing of what is in the files.
package owned
