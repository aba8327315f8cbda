package shell

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestHistoryFile: entries are kept in a file that only this user can write, or not at all.
func TestHistoryFile(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(folder, file string) error
		kept bool
	}{
		"nothing is there":   {func(string, string) error { return nil }, true},
		"a file":             {func(_, file string) error { return os.WriteFile(file, nil, 0o600) }, true},
		"a link of the user": {func(folder, file string) error { return os.Symlink(filepath.Join(filepath.Dir(folder), "kept"), file) }, false},
		"another name of a file": {func(folder, file string) error {
			other := filepath.Join(filepath.Dir(folder), "other")
			return errors.Join(os.WriteFile(other, nil, 0o600), os.Link(other, file))
		}, false},
		"a FIFO":                 {func(_, file string) error { return syscall.Mkfifo(file, 0o600) }, false},
		"a device":               {func(_, file string) error { return os.Symlink("/dev/null", file) }, false},
		"a folder":               {func(_, file string) error { return os.Mkdir(file, 0o700) }, false},
		"others may write":       {func(folder, _ string) error { return os.Chmod(folder, 0o777) }, false},
		"a link to a folder":     {func(folder, _ string) error { return errors.Join(os.Remove(folder), os.Symlink(t.TempDir(), folder)) }, false},
		"the folder is a file":   {func(folder, _ string) error { return errors.Join(os.Remove(folder), os.WriteFile(folder, nil, 0o600)) }, false},
		"a folder of somebody's": {func(folder, _ string) error { return os.Chown(folder, 65533, 65533) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			folder := filepath.Join(state, "datasync")
			file := filepath.Join(folder, "history")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := tc.make(folder, file); errors.Is(err, os.ErrPermission) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			getenv := func(name string) string { return map[string]string{"XDG_STATE_HOME": state}[name] }
			h, err := openHistory(historyFolder(getenv))
			h.add("SELECT 1")
			h.close()
			if kept := err == nil; kept != tc.kept {
				t.Errorf("%v, want it kept: %v", err, tc.kept)
			}
			if !tc.kept {
				return
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != "SELECT 1\n" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}
