package term

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction; the zero value is the default action.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// stopSelf stops the process as a SIGTSTP does that is not caught, and returns when it is continued. SIGSTOP
// would stop it even where no shell can continue it, as with ssh -t.
func stopSelf() {
	runtime.LockOSThread() // a signal to this thread is delivered before the system call returns
	defer runtime.UnlockOSThread()
	var caught sigaction
	if !setAction(unix.SIGTSTP, &sigaction{}, &caught) {
		return
	}
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGTSTP)
	setAction(unix.SIGTSTP, &caught, nil)
}

// setAction sets the action of a signal and, unless before is nil, returns the one that it had.
func setAction(of unix.Signal, to, before *sigaction) (ok bool) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(of), uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(before)), unsafe.Sizeof(to.mask), 0, 0)
	return errno == 0
}
