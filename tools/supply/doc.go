// Package supply is what checks and describes what the program is made of; make's verbs
// verify, vulncheck, sbom, dist and reproducible are its scripts.
package supply
