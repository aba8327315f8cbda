// Package e2e attacks the built datasync-lake: it kills it, loses its requests and answers, and has other
// programs change its tables, on real servers.
package e2e
