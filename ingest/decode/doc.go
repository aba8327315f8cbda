// Package decode turns a page's bytes into events and rejects, or refuses the page whole.
//
// An element that cannot be an event becomes a reject with its reason, if quotes and brackets show
// where it ends. Everything around the elements must be well-formed. The fast path decodes events in
// the API's usual notation; whatever it does not accept, the scanner, the object splitter and the
// normalizer decode from the beginning.
//
// It does not know endpoints, cursors or where a page came from.
package decode
