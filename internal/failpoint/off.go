//go:build !failpoint

package failpoint

// Hit ends the program here if that is what the environment says.
func Hit(string) {}

// Soon ends the program a moment from now, in the midst of what is done next, if
// that is what the environment says.
func Soon(string) {}
