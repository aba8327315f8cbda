// Package browser opens pages in Debian's Chromium and collects their faults: messages
// of the console, violations of their Content-Security-Policy, requests off the loopback, axe-core's
// violations, sideways scrolling, and labels that overlap, are cut or are too small. It reads what a page looks like on
// paper off the structure of its PDF, and validates HTML with the Nu checker.
//
// The package is for tests only, and a module of its own, so that chromedp is no dependency of the
// program. run.sh installs what the tests need and runs them; make browser calls it.
package browser
