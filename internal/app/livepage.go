package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/outfile"
	"datasync/internal/report"
	"datasync/internal/term"
	"datasync/internal/web"
	"datasync/internal/web/page"

	"github.com/urfave/cli/v2"
)

// pageOptions are the options of a live page.
type pageOptions struct {
	addr     string
	open     bool
	quiet    bool
	urlFile  string // "" if not given
	timezone string
	zone     *time.Location
}

// pageFlags are the options of a live page.
func pageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "addr", Usage: "serve the page on `HOST:PORT` of this machine's loopback; port 0 is a free one", Value: "127.0.0.1:0"},
		&cli.BoolFlag{Name: "open", Usage: "open the page in the browser"},
		&cli.StringFlag{Name: "url-file", Usage: "write the page's URL to `FILE`, which only you can read", DefaultText: "without a terminal, one whose path is printed"},
		&cli.StringFlag{Name: "timezone", Usage: "days and hours are those of this time `ZONE`, such as Europe/Berlin", Value: "UTC"},
	}
}

func readPageOptions(c *cli.Context) (opts pageOptions, err error) {
	opts = pageOptions{open: c.Bool("open"), urlFile: c.String("url-file"), timezone: c.String("timezone")}
	if opts.addr, err = loopbackAddress(c); err != nil {
		return opts, err
	}
	if opts.urlFile == "-" {
		return opts, usage("--url-file - is no file: a terminal shows the URL without it")
	}
	opts.zone, err = zoneNamed(opts.timezone)
	return opts, err
}

// loopbackAddress reads --addr. Only this machine may connect: the page has no TLS.
func loopbackAddress(c *cli.Context) (string, error) {
	addr := strings.TrimSpace(c.String("addr"))
	if err := checkAddress(c.Context, addr); err != nil {
		return "", err
	}
	host, port, _ := net.SplitHostPort(addr)
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	ip := net.ParseIP(host)
	if ip == nil || !ip.IsLoopback() {
		tunnel := port
		if tunnel == "0" {
			tunnel = "8080"
		}
		return "", usage("--addr %s is not on the loopback; write 127.0.0.1:%s, and from another machine use ssh -N -L %s:127.0.0.1:%s HOST",
			typed(c, "addr"), port, tunnel, tunnel)
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// livePage is a page that is served, with its files.
type livePage struct {
	*web.Server
	io       term.IO
	opts     pageOptions
	listener net.Listener
	// folder is this page's own: only this user can enter it.
	folder string
	// urlFile is the file with the URL, "" if there is none.
	urlFile string
	// unopened is closed if no browser can be opened.
	unopened chan struct{}
}

// listenForPage takes the address of a page, and makes its folder. The caller closes the page.
func listenForPage(t term.IO, opts pageOptions) (_ *livePage, err error) {
	p := &livePage{io: t, opts: opts, unopened: make(chan struct{})}
	if p.listener, err = net.Listen("tcp", opts.addr); err != nil {
		return nil, fmt.Errorf("%w; --addr 127.0.0.1:0 chooses a free port", err)
	}
	folder, err := live.Private(live.Folders(t.Getenv("XDG_RUNTIME_DIR"), t.Env("TMPDIR", "/tmp")))
	if err == nil {
		removeLeftPages(folder)
		p.folder, err = os.MkdirTemp(folder, fmt.Sprintf("page-%d-", os.Getpid()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot make a folder for the page: %w; set XDG_RUNTIME_DIR to one that is yours", err), p.listener.Close())
	}
	return p, nil
}

// removeLeftPages removes the folders of pages whose processes are gone.
func removeLeftPages(folder string) {
	left, err := filepath.Glob(filepath.Join(folder, "page-*-*"))
	if err != nil {
		return
	}
	for _, each := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(each), "page-"), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(each)
		}
	}
}

// options are those of the server, but for the source.
func (p *livePage) options(database string) web.Options {
	document := page.New(report.Styles())
	return web.Options{
		Listener: p.listener, Document: document.HTML, Policy: document.Policy, File: filepath.Base(database), Version: version,
		Timezone: p.opts.timezone, Zone: p.opts.zone, Scratch: p.folder, Explain: errorLine, Notice: p.io.Say, Authorised: p.forgetRedirect,
	}
}

// tell tells the user where the page is. The URL has the token: it goes to a terminal or to a file of this user, and
// never among messages that may be a log.
func (p *livePage) tell(ctx context.Context, database, until string) error {
	what := "serving " + database + " on this machine " + until
	var shown io.Writer
	switch {
	case p.opts.quiet:
	case p.io.OutputIsTerminal():
		shown = p.io.Stdout
	case p.io.ErrorsAreSeen():
		shown = p.io.Stderr
	}
	if p.opts.urlFile != "" || shown == nil && !p.opts.open {
		if err := p.writeURL(database); err != nil {
			return err
		}
		what += "; its URL is in " + p.urlFile
	}
	if shown == nil {
		p.io.Say(what)
	} else {
		p.io.Say(what + ":")
		_, _ = fmt.Fprintln(shown, p.URL())
	}
	if p.opts.open {
		return p.openRedirect()
	}
	return nil
}

// writeURL writes the URL to the file of --url-file, or to one in the page's folder.
func (p *livePage) writeURL(database string) error {
	p.urlFile = p.opts.urlFile
	if p.urlFile == "" {
		p.urlFile = filepath.Join(p.folder, "url")
	}
	f, err := outfile.Create(p.urlFile, outfile.Rules{Force: true, Keep: dbfile.FilesOf(database)})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, p.URL()+"\n"); err != nil {
		return errors.Join(err, f.Abort())
	}
	_, err = f.Commit()
	return err
}

// redirectName is the name of the file that the browser opens. Its arguments are visible to other users, the file
// is not.
const redirectName = "open.html"

// openRedirect opens the browser with a file that leads to the URL.
func (p *livePage) openRedirect() error {
	file := filepath.Join(p.folder, redirectName)
	html := `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>datasync</title>` +
		`<meta http-equiv="refresh" content="0;url=` + p.URL() + `"><a href="` + p.URL() + `">datasync</a>` + "\n"
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		return err
	}
	go func() { // it waits for the browser, and the page must not
		opened := false
		defer func() {
			if recover() != nil || !opened {
				close(p.unopened)
			}
		}()
		opened = openInBrowser(p.io, file)
	}()
	return nil
}

// forgetRedirect removes the file that the browser opened, once the page has its token.
func (p *livePage) forgetRedirect() { _ = os.Remove(filepath.Join(p.folder, redirectName)) }

// close removes the page's files.
func (p *livePage) close() {
	_ = p.listener.Close()
	_ = os.RemoveAll(p.folder)
	if given := p.opts.urlFile; given != "" && p.urlFile != "" {
		if text, err := os.ReadFile(given); err == nil && string(text) == p.URL()+"\n" { // not another page's
			_ = os.Remove(given)
		}
	}
}

// needsPage refuses options of the page without --serve.
func needsPage(c *cli.Context) error {
	for _, f := range pageFlags() {
		if err := needs(c, f.Names()[0], "serve"); err != nil {
			return err
		}
	}
	if c.Bool("serve") && c.Bool("dry-run") {
		return usage("--serve shows a pull, and --dry-run makes none: omit one of them")
	}
	if c.Bool("serve") && c.Bool("quiet") && !c.IsSet("url-file") && !c.Bool("open") {
		return usage("--quiet would hide the URL of --serve: give --url-file FILE or --open")
	}
	return nil
}
