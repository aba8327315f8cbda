// Package decode turns a page's bytes into events and rejects, or refuses the page whole.
//
// An element that cannot be an event becomes a reject with its reason, if quotes and brackets
// show where it ends. All that is around the elements must be well-formed. It knows no endpoint,
// and nothing of where a page came from.
package decode
