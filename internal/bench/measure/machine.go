package measure

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is where something was measured.
type Machine struct {
	CPU    string
	Cores  int
	Memory int64 // bytes; 0 where the system does not tell
	OS     string
	Go     string
}

// ThisMachine describes the machine that it runs on.
func ThisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), OS: runtime.GOOS, Go: runtime.Version()}
	if model := field("/proc/cpuinfo", "model name", ":"); model != "" {
		m.CPU = model
	}
	if kB, _, _ := strings.Cut(field("/proc/meminfo", "MemTotal", ":"), " "); kB != "" {
		if n, err := strconv.ParseInt(kB, 10, 64); err == nil {
			m.Memory = n << 10
		}
	}
	if name := strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`); name != "" {
		m.OS = name
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS += ", Linux " + strings.TrimSpace(string(release))
	}
	return m
}

func (m Machine) String() string {
	memory := ""
	if m.Memory > 0 {
		memory = fmt.Sprintf(", %.0f GB of memory", float64(m.Memory)/1e9)
	}
	return fmt.Sprintf("%s, %d cores%s; %s; %s", m.CPU, m.Cores, memory, m.OS, m.Go)
}

// field returns the text after a name and a separator on the first such line of a file.
func field(file, name, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
