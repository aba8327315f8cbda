package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

// TestServeOpens: the browser gets a file of this user that leads to the page. No argument has the token, and the
// file is gone after the first request with it.
func TestServeOpens(t *testing.T) {
	runtime, folder := privateRuntime(t), harness.Demo(t)
	browser := filepath.Join(folder, "browser")
	script := "#!/bin/sh\nprintf %s \"$*\" >" + folder + "/arguments.new\nstat -c %a \"$1\" >" + folder + "/mode\ncat \"$1\" >" + folder + "/opened\nmv " + folder + "/arguments.new " + folder + "/arguments\n"
	if err := os.WriteFile(browser, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", browser)
	urlFile := filepath.Join(folder, "url")
	p := harness.Prepare(t.Context(), t, harness.Program(t), "serve", "--open", "--url-file", urlFile)
	p.Dir = folder
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	page := pageOf(t, urlFile)
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(folder, name))
		return string(b)
	}
	harness.Await(t, "the browser is called", func() bool { return read("arguments") != "" })
	redirect := read("arguments")
	if strings.Contains(redirect, page.token) || !strings.HasPrefix(redirect, runtime) || read("mode") != "600\n" || !strings.Contains(read("opened"), `content="0;url=`+page.base+"/#"+page.token+`"`) {
		t.Errorf("the browser opened %q of mode %q: %q", redirect, read("mode"), read("opened"))
	}
	if _, err := os.Stat(redirect); err != nil {
		t.Error(err)
	}
	res, err := page.ask(t.Context(), "/complete", `{"text":"SELECT","at":6}`)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	if _, err := os.Stat(redirect); err == nil {
		t.Error("the file that leads to the page is still there")
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if r := p.Wait(); r.Code != 0 || strings.Contains(r.Out+r.Err, page.token) {
		t.Error(r)
	}
	if _, err := os.Stat(urlFile); err == nil {
		t.Error("the file with the URL is still there")
	}
}

// TestOpenAfterTheEnd: a pull that is over before its browser has started waits for it, and shows it the figures.
func TestOpenAfterTheEnd(t *testing.T) {
	privateRuntime(t)
	folder := t.TempDir()
	browser := filepath.Join(folder, "browser")
	if err := os.WriteFile(browser, []byte("#!/bin/sh\ncp \"$1\" "+folder+"/new && mv "+folder+"/new "+folder+"/opened\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", browser)
	pull, output := harness.Command(t.Context(), harness.Program(t), folder, "", "pull", "--demo", "--demo-events", "2000", "--serve", "--open", "--quiet")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	var url []string
	harness.Await(t, "the pull is over, and the browser starts", func() bool {
		text, _ := os.ReadFile(filepath.Join(folder, "opened"))
		url = regexp.MustCompile(`(http://[0-9.:]+)/#([A-Za-z0-9_-]{43})`).FindStringSubmatch(string(text))
		_, err := os.Stat(filepath.Join(folder, "datasync.duckdb.lock"))
		_, made := os.Stat(filepath.Join(folder, "datasync.duckdb"))
		return url != nil && os.IsNotExist(err) && made == nil
	})
	state, sections := livePage{t, url[1], url[2]}.stream(func(pageLine, map[string]pageLine) bool { return true })
	_ = pull.Wait()
	if code := pull.ProcessState.ExitCode(); code != 0 || output.Len() != 0 {
		t.Errorf("exit %d: %s", code, output)
	}
	if state.State != "ended" || state.Exit == nil || *state.Exit != 0 || sections["days"].HTML == "" || sections["users"].HTML == "" {
		t.Errorf("%+v, %d sections", state, len(sections))
	}
}
