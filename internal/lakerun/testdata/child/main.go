// Command child is a datasync-lake for tests: the name of the plan's database says how it behaves.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if os.Args[1] == "version" {
		fmt.Print(os.Getenv("CHILD_VERSION"))
		return
	}
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	var plan struct{ Name string }
	if err := json.Unmarshal(line, &plan); err != nil {
		panic(err)
	}
	if err != nil {
		panic(err)
	}
	switch plan.Name {
	case "works":
		fmt.Println(`{"progress":{"step":"copy","done":1,"total":2},"later":1}`)
		fmt.Println(`{"warning":"look"}`)
		fmt.Println(`{"result":{"files":7}}`)
	case "environment":
		_, hasKey := os.LookupEnv("DATASYNC_API_KEY")
		text, _ := json.Marshal(fmt.Sprint(hasKey, " ", os.Getenv("CHILD_SECRET")))
		fmt.Printf("{\"warning\":%s}\n{\"result\":{}}\n", text)
	case "fails":
		fmt.Println(`{"error":{"text":"no bucket","code":5,"topic":"lake"}}`)
		os.Exit(5)
	case "locked":
		fmt.Println(`{"error":{"text":"locked","code":6,"topic":"locked"}}`)
		os.Exit(6)
	case "dies":
		fmt.Fprintln(os.Stderr, "panic: first\nlast words")
		os.Exit(2)
	case "silent":
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "result, then dies":
		fmt.Println(`{"result":{"files":7}}`)
		os.Exit(3)
	case "garbage":
		fmt.Println(`not JSON`)
		_, _ = io.Copy(io.Discard, input)
	case "until the end of its input":
		fmt.Println(`{"progress":{"step":"copy"}}`)
		_, _ = io.Copy(io.Discard, input)
		fmt.Println(`{"error":{"text":"no more input","code":1}}`)
		os.Exit(1)
	case "ignores everything":
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		fmt.Println(`{"progress":{"step":"copy"}}`)
		select {}
	case "signal":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
		fmt.Println(`{"progress":{"step":"copy"}}`)
		s := <-signals
		if err := os.WriteFile(os.Getenv("CHILD_SIGNAL"), []byte(strings.ToLower(s.String())), 0o600); err != nil {
			panic(err)
		}
		os.Exit(1)
	}
}
