// Command datasync-lake reads and writes Iceberg tables and S3 buckets for datasync export and datasync
// status. It is a separate program, because its libraries would double the size of datasync.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"datasync/internal/model"

	"datasync/lake"
)

const help = `datasync-lake reads and writes Iceberg tables and S3 buckets for "datasync export".

Usage:
  datasync-lake run              reads a plan from stdin, one line of JSON; "datasync export --iceberg" starts it
  datasync-lake version --json   prints its version

Environment:
  DATASYNC_CATALOG_CREDENTIAL    for a REST catalog: ID:SECRET of an OAuth client, or a bearer token
  AWS_ACCESS_KEY_ID and the other variables of the AWS tools, or ~/.aws, for buckets
`

func main() {
	// The libraries log warnings with the standard logger. Users need none of them: the lines of JSON on
	// stdout have all messages.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	switch strings.Join(args, " ") {
	case "run":
		return carryOut(stdin, stdout, stderr)
	case "version --json":
		return printVersion(stdout)
	case "version", "--version":
		return say(stdout, "datasync-lake "+model.Version+"\n", 0)
	case "help", "--help", "-h":
		return say(stdout, help, 0)
	}
	return say(stderr, "datasync-lake: \"datasync export --iceberg\" starts this program; see datasync-lake --help\n", model.ExitUsage)
}

// say writes a text and returns the exit code.
func say(to io.Writer, text string, code int) int {
	if _, err := io.WriteString(to, text); err != nil {
		return model.ExitError
	}
	return code
}

// printVersion prints what datasync compares with its own version.
func printVersion(stdout io.Writer) int {
	v := struct {
		Version  string `json:"version"`
		Commit   string `json:"commit"`
		Modified bool   `json:"modified"`
	}{Version: model.Version}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Commit = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if err := json.NewEncoder(stdout).Encode(v); err != nil {
		return model.ExitError
	}
	return 0
}

// stopped is the cause of a context that a signal canceled.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string { return "ended by signal " + s.signal.String() }

// Exit returns 128 plus the signal number.
func (s stopped) Exit() model.Exit {
	code := 143
	if s.signal == os.Interrupt {
		code = 130
	}
	return model.Exit{Code: code}
}

// errOrphaned cancels a plan after the end of its parent.
var errOrphaned = errors.New("datasync has ended, so datasync-lake ends as well")

// carryOut reads and executes a plan.
func carryOut(stdin *os.File, stdout, stderr io.Writer) int {
	if info, err := stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return say(stderr, "datasync-lake: stdin has no plan; \"datasync export --iceberg\" starts this program with one\n", model.ExitUsage)
	}
	out := &lines{encoder: json.NewEncoder(stdout)}
	input := bufio.NewReader(stdin)
	text, err := input.ReadBytes('\n')
	var plan model.LakePlan
	if err == nil {
		err = json.Unmarshal(text, &plan)
	}
	if err != nil {
		return out.fail(fmt.Errorf("read the plan: %w", err))
	}
	if plan.Version != model.Version {
		return out.fail(fmt.Errorf("datasync-lake has version %s, and datasync %s; install both from one release", model.Version, plan.Version))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1) // one signal is enough
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(stopped{<-signals})
		cancel(stopped{<-signals})
	}()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel(errOrphaned)
	}()
	result, err := lake.Run(ctx, plan, lake.Options{
		Credential: os.Getenv("DATASYNC_CATALOG_CREDENTIAL"),
		Progress:   func(p model.LakeProgress) { out.print(model.LakeLine{Progress: &p}) },
		Warning:    func(text string) { out.print(model.LakeLine{Warning: redact(text)}) },
	})
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return out.fail(err)
	}
	out.print(model.LakeLine{Result: result})
	return 0
}

// lines prints lines of JSON.
type lines struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func (l *lines) print(line model.LakeLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.encoder.Encode(line) // if the parent has ended, stdin is closed too
}

// fail prints the last line of a plan that failed, and returns the exit code.
func (l *lines) fail(err error) int {
	exit := model.ExitOf(err)
	if exit.Code == 0 {
		exit.Code = model.ExitError
	}
	l.print(model.LakeLine{Error: &model.LakeError{Text: redact(model.Line(err)), Code: exit.Code, Topic: exit.Topic}})
	return exit.Code
}

// redact removes the environment's credentials from a text.
func redact(text string) string {
	_, secret, _ := strings.Cut(os.Getenv("DATASYNC_CATALOG_CREDENTIAL"), ":")
	for _, s := range []string{os.Getenv("DATASYNC_CATALOG_CREDENTIAL"), secret, os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")} {
		if len(s) > 3 {
			text = strings.ReplaceAll(strings.ReplaceAll(text, s, "***"), url.QueryEscape(s), "***")
		}
	}
	return text
}
