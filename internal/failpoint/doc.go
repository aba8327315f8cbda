// Package failpoint lets tests end the program at named points of its code, like a crash. Only
// programs that are built with the tag failpoint do so; in all others its functions are empty and
// cost nothing.
//
// The environment variable DATASYNC_FAILPOINT names the point. "f6" makes the program send itself
// SIGKILL when it reaches f6 for the first time. "f6:3" does so for the third time, and "panic
// f6:3" makes it panic instead. The points:
//
//	f1   before a request            f8   after the checkpoint moved
//	f2   after its headers           f9   during COMMIT
//	f3   within its body             f10  after COMMIT
//	f4   before BEGIN                f11  during a checkpoint of the database
//	f5   after BEGIN                 f12  while the database is closed
//	f6   half the rows appended      f13  in a migration
//	f7   after the rows are flushed  f14  before an export gets its name
//	                                 f15  after a wait is written, before its commit
//	                                 f16  in a rewrite at the end: before, between and after its steps
package failpoint
