// Package failpoint lets tests end the program at named places of its code, as a
// crash would. It does so only in programs built with the tag failpoint; in all
// others its functions are empty and cost nothing.
//
// The environment variable DATASYNC_FAILPOINT says where: "f6" ends the program,
// by SIGKILL of itself, when it comes to the place f6 for the first time, "f6:3"
// for the third time, and "panic f6:3" makes that a panic. The places:
//
//	f1   before a request            f8   after the checkpoint was moved
//	f2   after its headers           f9   during COMMIT
//	f3   within its body             f10  after it
//	f4   before BEGIN                f11  during a checkpoint of the database
//	f5   after it                    f12  while it is closed
//	f6   half the rows appended      f13  in a migration
//	f7   after they were flushed     f14  before an export gets its name
//	                                 f15  a wait was noted, and is not committed yet
package failpoint
