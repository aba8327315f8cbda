// Package failpoint lets tests end the program at named places of its code, as a
// crash would. It does so only in programs built with the tag failpoint; in all
// others its functions are empty and cost nothing.
//
// The environment variable DATASYNC_FAILPOINT says where: "f6" ends the program,
// by SIGKILL of itself, when it comes to the place f6 for the first time, "f6:3"
// for the third time.
package failpoint
