// Package table says whether a table holds the events that were served. A measurement of a
// program that stored something else is none.
package table
