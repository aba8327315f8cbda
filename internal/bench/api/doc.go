// Package api has what a pull from an API with limits is measured by: services of several
// kinds, and the least time in which each of them lets anybody have so many pages.
package api
