package streams

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Least is how many file descriptors must be free when the program starts. A pull of the
// demo and every export end well with twelve, three of which are for what Take makes; the
// rest is for connections.
const Least = 20

// ErrFew says that fewer descriptors than Least are free.
var ErrFew = errors.New("too few file descriptors")

// Streams are what the process was started with. Closing one closes what it stands for.
type Streams struct{ Stdin, Stdout, Stderr *os.File }

// Take moves stdout and stderr away from descriptors 1 and 2, on which nothing leads
// anywhere afterwards. Only the Go runtime's account of a crash still goes to stderr. It may
// be called once, before anything else is started. After an error, such as ErrFew, nothing
// was moved.
//
// A write to a stream whose reader has gone fails with EPIPE and never ends the process: Go
// does that for descriptors 1 and 2 alone.
func Take() (Streams, error) {
	if err := enough(); err != nil {
		return Streams{}, err
	}
	// The runtime's own descriptors are made when something first waits for one, and it ends
	// the process where it gets none. Now there are enough.
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
			return Streams{}, fmt.Errorf("put descriptor %d aside: %w", fd, err)
		}
	}
	return s, nil
}

// crashTo has the runtime tell of a crash there, too.
func crashTo(stderr *os.File) error {
	flags, err := unix.FcntlInt(2, unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("look at stderr: %w", err)
	}
	if err := debug.SetCrashOutput(stderr, debug.CrashOptions{}); err != nil {
		return err
	}
	if flags&unix.O_NONBLOCK != 0 { // which that has undone
		return unix.SetNonblock(2, true)
	}
	return nil
}

// duplicate returns the file of a descriptor on another one. The two share whether writes
// block, which is left as it was.
func duplicate(fd uintptr, name string) (*os.File, error) {
	other, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", name, err)
	}
	return os.NewFile(uintptr(other), name), nil
}

// nowhere opens what takes everything and keeps nothing. Where there is no /dev/null, as in a
// bare chroot, it is what takes nothing: the end of a pipe that only reads.
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

// enough fails with ErrFew where fewer than Least descriptors are free. It takes that many
// for a moment: what the process has inherited counts against the limit as well.
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

// least is a limit under which Least descriptors would be free where only free are now.
func least(free int) uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return max(1024, limit.Cur+uint64(Least-free))
}
