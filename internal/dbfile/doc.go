// Package dbfile says where the database file is, who has it and which files are beside it: its
// path, its locks, its write-ahead log and spill folder, copies of it, and the errors about it.
//
// It opens no database and knows no table. All errors about the file are a *model.FileError,
// whose Kind is one of the errors of this package.
package dbfile
