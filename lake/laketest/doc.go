// Package laketest starts servers for tests on free loopback ports: S3 services, and a proxy that loses
// requests and responses.
package laketest
