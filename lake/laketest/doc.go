// Package laketest starts the servers that tests of the lake need, on free ports of the loopback: S3 services,
// and a proxy that loses requests and answers.
package laketest
