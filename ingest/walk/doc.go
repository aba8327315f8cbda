// Package walk goes from one page to the next older one, trusting only proof. After an expired
// cursor it resumes by time, by a renewed cursor, or from the newest event.
//
// A Walk starts as following: each cursor came with the page before. In any other mode (see mode) its
// pages are provisional until they have proven that they continue the stored events without a gap.
//
// It does not know which endpoint answers or when it may be asked, how many other walks there are, or
// how pages are stored.
package walk
