package faults

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"datasync/internal/e2e/harness"
)

// recording is the list of changes to the files of a folder, in order: first those that make its
// initial files, then the program's.
type recording struct {
	ops []op
	// first is the index of the program's first operation.
	first int
}

// op is a change of a file or of the folder's names, or a sync.
type op struct {
	kind     string // write, truncate, create, rename, unlink, sync, sync folder
	file     int    // of write, truncate, create and sync: the file, whatever its current name
	name, to string // of create, rename and unlink
	offset   int64  // of write; the size of truncate
	data     []byte
	// from is the index up to which a sync covers operations, as it does not cover those that
	// were made while it ran.
	from int
}

var (
	call     = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (-?\d+)`)
	started  = regexp.MustCompile(`^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	ofFile   = regexp.MustCompile(`^\d+<([^>]*)>`)
	inQuotes = regexp.MustCompile(`"([^"]*)"(\.\.\.)?`)
)

// record runs a command and records its changes to the world's folder.
func (w *world) record(c command) (recording, harness.Result) {
	w.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		w.Skip("strace is missing, which shows the writes and syncs")
	}
	program := c.Program
	if program == "" {
		program = harness.Program(w)
	}
	var r recording
	files, err := os.ReadDir(w.Folder)
	if err != nil {
		w.Fatal(err)
	}
	number := map[string]int{} // the files that have a name now
	size := map[int]int64{}    // DuckDB appends to its log without an offset
	for i, f := range files {
		data, err := os.ReadFile(filepath.Join(w.Folder, f.Name()))
		if err != nil {
			w.Fatal(err)
		}
		number[f.Name()], size[i] = i, int64(len(data))
		r.ops = append(r.ops, op{kind: "create", file: i, name: f.Name()}, op{kind: "write", file: i, data: data})
	}
	for _, file := range number {
		r.ops = append(r.ops, op{kind: "sync", file: file, from: len(r.ops)})
	}
	r.ops = append(r.ops, op{kind: "sync folder", from: len(r.ops)})
	r.first = len(r.ops)
	log := filepath.Join(filepath.Dir(w.Folder), "strace.log")
	c.Args = append([]string{"-f", "-qq", "-y", "-xx", "-s", "16777216", "-o", log, "-e", "trace=open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat", program}, c.Args...)
	c.Program = strace
	e := w.run(c)
	text, err := os.ReadFile(log)
	if err != nil {
		w.Fatal(err)
	}
	if err := os.Remove(log); err != nil {
		w.Fatal(err)
	}
	begun := map[string]string{} // calls that have not returned, by process
	since := map[string]int{}
	all := len(number)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		from := len(r.ops)
		if m := started.FindStringSubmatch(line); m != nil {
			begun[m[1]], since[m[1]] = m[1]+" "+m[2]+"("+m[3], from
			continue
		}
		if m := resumed.FindStringSubmatch(line); m != nil {
			line, from = begun[m[1]]+m[3], since[m[1]]
			delete(begun, m[1])
		}
		m := call.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(m[4], "-") {
			continue
		}
		var texts []string
		for _, q := range inQuotes.FindAllStringSubmatch(m[3], -1) {
			if q[2] != "" {
				w.Fatalf("strace cut a text: %.200s", line)
			}
			s, err := strconv.Unquote(`"` + q[1] + `"`)
			if err != nil {
				w.Fatal(err)
			}
			texts = append(texts, s)
		}
		target := ""
		if f := ofFile.FindStringSubmatch(m[3]); f != nil {
			target, _ = strconv.Unquote(`"` + f[1] + `"`)
			target = strings.TrimSuffix(target, " (deleted)")
		}
		inside := func(path string) (string, bool) {
			name, ok := strings.CutPrefix(path, w.Folder+"/")
			return name, ok && !strings.Contains(name, ".snapshot-") && !strings.HasSuffix(name, ".lock") && !strings.Contains(name, ".socket") && !strings.Contains(name, "/")
		}
		name, ok := inside(target)
		file, known := number[name]
		switch m[2] {
		case "open", "openat", "creat":
			name, ok := inside(texts[0])
			if !ok {
				continue
			}
			if _, there := number[name]; !there && (strings.Contains(m[3], "O_CREAT") || m[2] == "creat") {
				number[name] = all
				all++
				r.ops = append(r.ops, op{kind: "create", file: number[name], name: name})
			} else if strings.Contains(m[3], "O_TRUNC") {
				r.ops = append(r.ops, op{kind: "truncate", file: number[name]})
				size[number[name]] = 0
			}
		case "pwrite64":
			if ok && known {
				offset, err := strconv.ParseInt(m[3][strings.LastIndex(m[3], " ")+1:], 10, 64)
				if err != nil {
					w.Fatal(err)
				}
				n, _ := strconv.Atoi(m[4])
				r.ops = append(r.ops, op{kind: "write", file: file, offset: offset, data: []byte(texts[0])[:n]})
				size[file] = max(size[file], offset+int64(n))
			}
		case "ftruncate":
			if ok && known {
				to, err := strconv.ParseInt(m[3][strings.LastIndex(m[3], " ")+1:], 10, 64)
				if err != nil {
					w.Fatal(err)
				}
				r.ops = append(r.ops, op{kind: "truncate", file: file, offset: to})
				size[file] = to
			}
		case "write":
			if ok && known {
				n, _ := strconv.Atoi(m[4])
				r.ops = append(r.ops, op{kind: "write", file: file, offset: size[file], data: []byte(texts[0])[:n]})
				size[file] += int64(n)
			}
		case "fsync", "fdatasync":
			if target == w.Folder {
				r.ops = append(r.ops, op{kind: "sync folder", from: from})
			} else if ok && known {
				r.ops = append(r.ops, op{kind: "sync", file: file, from: from})
			}
		case "rename", "renameat", "renameat2":
			old, ok1 := inside(texts[0])
			name, ok2 := inside(texts[1])
			if ok1 && ok2 {
				number[name] = number[old]
				delete(number, old)
				r.ops = append(r.ops, op{kind: "rename", name: old, to: name})
			}
		case "unlink", "unlinkat":
			if name, ok := inside(texts[0]); ok {
				delete(number, name)
				r.ops = append(r.ops, op{kind: "unlink", name: name})
			}
		default:
			if ok {
				w.Fatalf("a change that is not understood: %.200s", line)
			}
		}
	}
	return r, e
}

// lost says which operations of a file that no sync covers have not reached the disk.
type lost int

const (
	allLost  lost = iota
	tailLost      // the last ones, and a part of one
	anyLost       // any, and parts of some, so there may be holes
	noneLost      // as where only the program is killed
)

// after returns the contents of the files after the power failed behind the first n operations. A
// sync of a file also covers earlier changes of names, as in a journal. With strict only a sync of
// the folder does.
func (r recording) after(n int, l lost, strict bool, random *rand.Rand) map[string][]byte {
	names, synced := 0, map[int]int{} // how many operations are certain
	for _, o := range r.ops[:n] {
		switch o.kind {
		case "sync folder":
			names = max(names, o.from)
		case "sync":
			synced[o.file] = max(synced[o.file], o.from)
			if !strict {
				names = max(names, o.from)
			}
		}
	}
	upTo := n // names change in their order
	if l == allLost {
		upTo = names
	} else if l != noneLost {
		upTo = names + random.IntN(n-names+1)
	}
	content, cut := map[int][]byte{}, map[int]int{}
	for i, o := range r.ops[:n] {
		if o.kind != "write" && o.kind != "truncate" {
			continue
		}
		data := o.data
		if i >= synced[o.file] && l != noneLost {
			if _, ok := cut[o.file]; !ok {
				cut[o.file] = i + random.IntN(n-i+1)
			}
			switch {
			case l == allLost, l == anyLost && random.IntN(2) == 0, l == tailLost && i > cut[o.file]:
				continue
			case l == tailLost && i == cut[o.file] && o.kind == "write":
				data = data[:min(len(data), random.IntN(len(data)/512+1)*512)]
			case l == anyLost && o.kind == "write" && random.IntN(4) == 0:
				data = data[:min(len(data), random.IntN(len(data)/512+1)*512)]
			}
		}
		b := content[o.file]
		if o.kind == "truncate" {
			content[o.file] = b[:min(int64(len(b)), o.offset)]
			if more := o.offset - int64(len(b)); more > 0 {
				content[o.file] = append(b, make([]byte, more)...)
			}
			continue
		}
		if more := o.offset + int64(len(data)) - int64(len(b)); more > 0 && len(data) > 0 {
			b = append(b, make([]byte, more)...)
		}
		copy(b[min(o.offset, int64(len(b))):], data)
		content[o.file] = b
	}
	files := map[string]int{}
	for i, o := range r.ops[:n] {
		if i >= upTo && i >= names {
			break
		}
		switch o.kind {
		case "create":
			files[o.name] = o.file
		case "rename":
			files[o.to] = files[o.name]
			delete(files, o.name)
		case "unlink":
			delete(files, o.name)
		}
	}
	held := map[string][]byte{}
	for name, file := range files {
		held[name] = bytes.Clone(content[file])
	}
	return held
}
