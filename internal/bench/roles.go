package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"datasync/internal/bench/growth"
	"datasync/internal/bench/pages"
	"datasync/internal/bench/rivals"
	"datasync/internal/bench/table"
)

// roles are the processes that the commands start.
func roles() map[string]func(ctx context.Context, args []string) error {
	return map[string]func(context.Context, []string) error{
		"render":       render,
		"render-lines": renderLines,
		"serve":        serve,
		"fingerprint":  fingerprint,
		"download":     download,
		"read-json":    readJSON,
		"plain":        plain,

		"watched-pull":   watchedPullRole,
		"duckdb-version": duckdbVersion,
	}
}

// render makes a Set of pages.
func render(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("render", flag.ExitOnError)
	folder := flags.String("folder", "", "where the pages go")
	events := flags.Int("events", 0, "how many events")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return pages.Render(*folder, *events, pages.PageSize)
}

// renderLines adds the file of JSON lines to a Set.
func renderLines(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("render-lines", flag.ExitOnError)
	folder := flags.String("folder", "", "where the pages are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	set, err := pages.Open(*folder)
	if err != nil {
		return err
	}
	return set.RenderLines()
}

// serve serves a Set, prints its URL, and ends with its stdin: when its parent process
// ends, for any reason.
func serve(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	folder := flags.String("folder", "", "where the pages are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	set, err := pages.Open(*folder)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: pages.NewServer(set), ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("http://%s\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func fingerprint(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("fingerprint", flag.ExitOnError)
	file := flags.String("db", "", "the DuckDB file")
	relation := flags.String("relation", "", "where in it the events are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	f, err := table.Read(ctx, *file, *relation)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

func download(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("download", flag.ExitOnError)
	url := flags.String("url", "", "where the pages are served")
	if err := flags.Parse(args); err != nil {
		return err
	}
	d, err := rivals.Download(ctx, *url)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d)
}

func readJSON(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("read-json", flag.ExitOnError)
	pattern := flags.String("pages", "", "matches the files, one a page")
	file := flags.String("db", "", "the DuckDB file to make")
	name := flags.String("way", "", "how read_json is used")
	if err := flags.Parse(args); err != nil {
		return err
	}
	way, err := rivals.FindReadJSONWay(*name)
	if err != nil {
		return err
	}
	return rivals.ReadJSON(ctx, *pattern, *file, way)
}

func plain(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("plain", flag.ExitOnError)
	url := flags.String("url", "", "where the pages are served")
	file := flags.String("db", "", "the DuckDB file to make")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return rivals.Plain(ctx, *url, *file)
}

// watchedPullRole ends by a signal as a pull does.
func watchedPullRole(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("watched-pull", flag.ExitOnError)
	url := flags.String("url", "", "the API")
	file := flags.String("db", "", "the DuckDB file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return growth.Pull(ctx, *url, *file, rivals.Key, os.Stdout)
}

func duckdbVersion(ctx context.Context, _ []string) error {
	version, err := table.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Println(version)
	return nil
}
