// Package growth measures how a pull fares while its file grows: rate, memory, the time of
// a commit and the size of the file, for each million events stored.
package growth
