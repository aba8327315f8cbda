package outfile

import (
	"os"
	"os/exec"
	"syscall"
)

// janitor is a process that removes a folder as soon as this process has ended, even by a kill: a
// folder cannot be without a name.
type janitor struct{ alive *os.File }

// script is the janitor's program. It reads until the pipe has no writer, which means that this
// process has ended; dismiss writes a word before. It removes the files of its own working
// directory, as another folder may have the hidden name by now.
const script = `read -r word; [ "$word" = dismissed ] || ! [ "$1" -ef . ] || {
	for each in ./* ./.[!.]* ./..?*; do rm -rf "$each"; done
	cd / && rmdir "$1"
}`

// watch starts a janitor for a folder with a hidden name. If it cannot, a later Sweep removes the
// folder.
func watch(h *hidden) *janitor {
	read, write, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer func() { _ = read.Close() }()
	// In a session of its own it gets no signals of the terminal.
	cmd := exec.Command("sh", "-c", script, "sh", h.parent.Name(h.name))
	cmd.Stdin, cmd.Dir, cmd.SysProcAttr = read, h.path(), &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return nil
	}
	go func() { _ = cmd.Wait() }()
	return &janitor{write}
}

// dismiss ends the janitor.
func (j *janitor) dismiss() {
	if j != nil {
		_, _ = j.alive.WriteString("dismissed\n")
		_ = j.alive.Close()
	}
}
