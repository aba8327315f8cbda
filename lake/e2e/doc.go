// Package e2e attacks the built datasync-lake on real servers: it kills the program, loses requests and
// responses, and changes tables with other programs.
package e2e
