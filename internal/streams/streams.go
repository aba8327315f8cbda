package streams

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Least is the number of file descriptors that must be free when the program starts. A pull of
// the demo and every export succeed with twelve, three of which Take uses. The rest is for
// connections.
const Least = 20

// ErrFew says that fewer than Least descriptors are free.
var ErrFew = errors.New("too few file descriptors")

// Streams are the streams with which the process was started.
type Streams struct{ Stdin, Stdout, Stderr *os.File }

// Take moves stdout and stderr away from descriptors 1 and 2, and discards later writes to these. Only the Go
// runtime still reports a crash on stderr. Take may be called once, before anything else starts. After an
// error, such as ErrFew, nothing was moved.
//
// A write to a stream whose reader is gone fails with EPIPE and never ends the process: Go ends a
// process only for descriptors 1 and 2.
func Take() (Streams, error) {
	if err := enough(); err != nil {
		return Streams{}, err
	}
	// The runtime opens descriptors of its own when something first waits for one, and ends the
	// process if it gets none. Have it do so now, while there are enough.
	r, w, err := os.Pipe()
	if err != nil {
		return Streams{}, err
	}
	defer func() { _ = r.Close(); _ = w.Close() }()
	null, err := nowhere()
	if err != nil {
		return Streams{}, err
	}
	defer func() { _ = unix.Close(null) }()
	s := Streams{Stdin: os.Stdin}
	if s.Stdout, err = duplicate(1, os.Stdout.Name()); err != nil {
		return Streams{}, err
	}
	if s.Stderr, err = duplicate(2, os.Stderr.Name()); err != nil {
		return Streams{}, errors.Join(err, s.Stdout.Close())
	}
	if err := crashTo(s.Stderr); err != nil {
		return Streams{}, errors.Join(err, s.Stdout.Close(), s.Stderr.Close())
	}
	for _, fd := range replaced {
		if err := dup2(null, fd); err != nil {
			return Streams{}, fmt.Errorf("replace descriptor %d: %w", fd, err)
		}
	}
	return s, nil
}

// crashTo makes the runtime report a crash on stderr as well.
func crashTo(stderr *os.File) error {
	flags, err := unix.FcntlInt(2, unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("get the flags of stderr: %w", err)
	}
	if err := debug.SetCrashOutput(stderr, debug.CrashOptions{}); err != nil {
		return err
	}
	if flags&unix.O_NONBLOCK != 0 { // SetCrashOutput has made it blocking
		return unix.SetNonblock(2, true)
	}
	return nil
}

// duplicate returns a file on a new descriptor. The two descriptors share whether writes block,
// and that stays as it was.
func duplicate(fd uintptr, name string) (*os.File, error) {
	other, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", name, err)
	}
	return os.NewFile(uintptr(other), name), nil
}

// nowhere opens a descriptor that discards all writes. Without /dev/null, as in a bare chroot, it
// is the read end of a pipe, on which writes fail.
func nowhere() (int, error) {
	if fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
		return fd, nil
	}
	var p [2]int
	if err := unix.Pipe(p[:]); err != nil {
		return -1, err
	}
	unix.CloseOnExec(p[0])
	return p[0], unix.Close(p[1])
}

// enough fails with ErrFew if fewer than Least descriptors are free. It opens that many for a
// moment, because inherited descriptors count against the limit as well.
func enough() error {
	var taken []int
	defer func() {
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
	}()
	for len(taken) < Least {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
		if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("%w: %d are free, and %d are needed; raise the limit (ulimit -n %d)", ErrFew, len(taken), Least, least(len(taken)))
		}
		if err != nil {
			return fmt.Errorf("duplicate stdin: %w", err)
		}
		taken = append(taken, fd)
	}
	return nil
}

// least returns a limit with which Least descriptors would be free, if now only free are.
func least(free int) uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return max(1024, limit.Cur+uint64(Least-free))
}
