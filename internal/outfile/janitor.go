package outfile

import (
	"os"
	"os/exec"
	"syscall"
)

// janitor is a process that removes a folder as soon as this one is gone, even if it is
// killed: a folder has no way to be without a name.
type janitor struct{ alive *os.File }

// watch has a janitor watch a folder under a hidden name. Where none can be had, Sweep
// does its work later.
func watch(path string) *janitor {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer func() { _ = read.Close() }()
	// It reads until nobody can write any more, which is so when this process has gone
	// or calls dismiss; in a session of its own no key or signal of the terminal ends it.
	cmd := exec.Command("sh", "-c", `read -r _; rm -rf -- "$1"`, "sh", path)
	cmd.Stdin, cmd.SysProcAttr = read, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil
	}
	go func() { _ = cmd.Wait() }()
	return &janitor{write}
}

// dismiss sends the janitor away. The folder must have gone or have got another name.
func (j *janitor) dismiss() {
	if j != nil {
		_ = j.alive.Close()
	}
}
