// Package supply checks and describes the parts of the program. Its scripts are the targets verify,
// vulncheck, sbom, dist and reproducible of make.
package supply
