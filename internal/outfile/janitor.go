package outfile

import (
	"os"
	"os/exec"
	"syscall"
)

// janitor is a process that removes a folder as soon as this one is gone, even if it is
// killed: a folder has no way to be without a name.
type janitor struct{ alive *os.File }

// script is what a janitor does. It reads until nobody can write any more, which is so when
// this process has gone; dismiss writes a word before. The folder is where it is itself, and
// it removes what is in that: another folder may have come to have its name.
const script = `read -r word; [ "$word" = dismissed ] || ! [ "$1" -ef . ] || {
	for each in ./* ./.[!.]* ./..?*; do rm -rf "$each"; done
	cd / && rmdir "$1"
}`

// watch has a janitor watch a folder under a hidden name. Where none can be had, Sweep
// does its work later.
func watch(h *hidden) *janitor {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer func() { _ = read.Close() }()
	// In a session of its own no key or signal of the terminal ends it.
	cmd := exec.Command("sh", "-c", script, "sh", h.parent.Name(h.name))
	cmd.Stdin, cmd.Dir, cmd.SysProcAttr = read, h.path(), &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil
	}
	go func() { _ = cmd.Wait() }()
	return &janitor{write}
}

// dismiss sends the janitor away.
func (j *janitor) dismiss() {
	if j != nil {
		_, _ = j.alive.WriteString("dismissed\n")
		_ = j.alive.Close()
	}
}
