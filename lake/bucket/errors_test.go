package bucket_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/bucket"
	"datasync/lake/laketest"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct{ text, bucket, key string }{
		{"s3://lake", "lake", ""}, {"s3://lake/", "lake", ""}, {"s3://my.lake-1/a/b/", "my.lake-1", "a/b"}, {"s3://Old_Lake/é x=1/ü.csv", "Old_Lake", "é x=1/ü.csv"},
	} {
		if b, key, err := bucket.ParseURL(c.text); b != c.bucket || key != c.key || err != nil {
			t.Errorf("%s: %q, %q, %v", c.text, b, key, err)
		}
	}
	for _, text := range []string{"", "lake/a", "s3:/lake", "http://lake/a", "s3://", "s3:///a", "s3://a b/c", "s3://user:secret@lake/a", "s3://lake/a//b", "s3://lake/../b", "s3://lake/./b", "s3://lake/a\x00", "s3://..a/b"} {
		if b, key, err := bucket.ParseURL(text); !errors.Is(err, bucket.ErrURL) || model.ExitOf(err).Code != model.ExitUsage {
			t.Errorf("%s: %q, %q, %v", text, b, key, err)
		}
	}
}

// TestOpen: Open rejects an invalid endpoint or missing credentials without a request.
func TestOpen(t *testing.T) {
	laketest.Environment(t)
	for _, endpoint := range []string{"127.0.0.1:7070", "ftp://x", "http://", "http://user:hidden@host", "http://host/?secret=hidden", "http://host\x7f"} {
		_, err := bucket.Open(t.Context(), bucket.Options{Bucket: name, Endpoint: endpoint})
		if !errors.Is(err, bucket.ErrURL) || strings.Contains(err.Error(), "user:hidden") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := bucket.Open(t.Context(), bucket.Options{Bucket: name, Endpoint: "http://127.0.0.1:1"})
	if !errors.Is(err, bucket.ErrRefused) || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") || strings.Contains(err.Error(), "\n") {
		t.Errorf("without credentials: %v", err)
	}
}

// TestRefusals: a wrong secret and a missing bucket fail a request at once, and no error has a secret.
func TestRefusals(t *testing.T) {
	server := laketest.Versity(t).S3
	laketest.Environment(t)
	ctx := t.Context()
	requests := 0
	proxy := laketest.NewProxy(t, server, func(*http.Request) laketest.Fault { requests++; return laketest.None })
	check := func(what string, opts bucket.Options, want error) {
		t.Helper()
		b, err := bucket.Open(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		for doing, do := range map[string]func() error{
			"put":    func() error { return b.Put(ctx, "a/key", []byte("x"), bucket.PutOptions{IfAbsent: true}) },
			"get":    func() error { _, err := b.Get(ctx, "a/key"); return err },
			"delete": func() error { return b.Delete(ctx, "a/key", "a/key2") },
			"list": func() error {
				for _, err := range b.List(ctx, "a/key") {
					return err
				}
				return nil
			},
		} {
			before := requests
			err := do()
			if !errors.Is(err, want) || !strings.Contains(err.Error(), "s3://"+opts.Bucket+"/a/key") {
				t.Errorf("%s: %s: %v", what, doing, err)
				continue
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") || model.ExitOf(err) != (model.Exit{Code: model.ExitError, Topic: "lake"}) {
				t.Errorf("%s: %s: %v, %+v", what, doing, err, model.ExitOf(err))
			}
			if requests != before+1 {
				t.Errorf("%s: %s needed %d requests", what, doing, requests-before)
			}
		}
	}
	check("a bucket that does not exist", bucket.Options{Bucket: "nowhere", Endpoint: proxy.URL}, bucket.ErrNoBucket)
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
	check("a wrong secret", bucket.Options{Bucket: name, Endpoint: proxy.URL}, bucket.ErrRefused)
	t.Setenv("AWS_ACCESS_KEY_ID", "another-secret-key")
	check("an unknown key", bucket.Options{Bucket: name, Endpoint: proxy.URL}, bucket.ErrRefused)
}

// TestEcho: an error has no secret, even if the service's response repeats the request.
func TestEcho(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("<Error><Code>InvalidRequest</Code><Message>You sent " + r.Header.Get("Authorization") + "\n" + laketest.SecretKey + "</Message></Error>"))
	}))
	defer server.Close()
	b := open(t, server.URL)
	_, err := b.Get(t.Context(), "key")
	if err == nil || strings.Contains(err.Error(), laketest.SecretKey) || strings.Contains(err.Error(), laketest.AccessKey) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "InvalidRequest") {
		t.Errorf("%v", err)
	}
}

// TestUnreachable: nothing listens at the endpoint.
func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	b := open(t, server.URL)
	b.GiveUpAtOnce()
	err := b.Put(t.Context(), "key", nil, bucket.PutOptions{})
	if !errors.Is(err, bucket.ErrService) || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "s3://lake/key") {
		t.Errorf("%v", err)
	}
}

// TestUnconditional: CheckConditional detects a service that ignores conditions.
func TestUnconditional(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	defer server.Close()
	err := open(t, server.URL).CheckConditional(t.Context(), "prefix")
	if !errors.Is(err, bucket.ErrUnconditional) || !strings.Contains(err.Error(), "s3://lake/prefix/") {
		t.Errorf("%v", err)
	}
}
