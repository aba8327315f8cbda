// Package owned tells the files and folders of this user from those that somebody else could have
// made.
//
// It opens files and folders that the program finds by name, without following links: a lock beside
// the database, the manifest of an export. It checks the opened file, not the one that has the name
// a moment later. A Dir is a folder that stays open: operations on it work on that folder even if
// its name changes.
//
// It does not know the contents of the files.
package owned
