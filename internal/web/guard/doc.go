// Package guard protects a page on this machine's loopback address: from other sites in the same browser, from
// pages on other ports, from names that resolve to the loopback (DNS rebinding), and from connections that never
// finish.
//
// It promises that a request reaches the data only with the token, from the page itself, under the exact address.
// The document carries no data and needs no token. It knows neither the file nor the page.
package guard
