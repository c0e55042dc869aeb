package s3store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/blobstore/s3store"
	"github.com/rookery-mail/rookery/mailerr"
)

// fake is an S3 server in this process, with a way to get between it and the store.
type fake struct {
	url   string
	front atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)]
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{}
	s3 := gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if front := f.front.Load(); front != nil {
			(*front)(w, r, s3)
			return
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = "s3://key:" + url.PathEscape(secret) + "@" + strings.TrimPrefix(server.URL, "http://") + "/bucket?tls=false"
	return f
}

const secret = "s3cr3t/with+odd=chars"

// intercept puts front before the server; nil takes it away.
func (f *fake) intercept(front func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	if front == nil {
		f.front.Store(nil)
		return
	}
	f.front.Store(&front)
}

var quick = blobstore.RetryOptions{MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, MaxElapsed: 5 * time.Second}

func open(t *testing.T, o s3store.Options) *s3store.Store {
	t.Helper()
	s, err := s3store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFakeConformance(t *testing.T) {
	blobstoretest.Run(t, func(t *testing.T) blobstore.Store { return open(t, s3store.Options{URL: newFake(t).url}) })
}

func TestGoroutinesEnd(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url})
	if err := s.Put(t.Context(), "k", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("net/http.(*Server).Serve"), goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}

func TestBadURLs(t *testing.T) {
	for _, u := range []string{
		"", "http://key:s3cr3t@host/bucket", "s3://key:s3cr3t@host", "s3://key:s3cr3t@host/", "s3://key:s3cr3t@/bucket",
		"s3://key@host/bucket", "s3://:s3cr3t@host/bucket", "s3://key:s3cr3t@host/a/b", "s3://key:s3cr3t@host/bucket?tls=maybe",
		"s3://key:s3cr3t@host/bucket?lookup=x", "s3://key:s3cr3t@host/bucket?colour=red", "s3://key:s3cr3t@host/bucket?ca=/does/not/exist",
		"s3://key:s3cr3t/x@host/bucket", "s3://key:s3cr3t%zz@host/bucket", "s3://key:s3cr3t@host/bucket#s3cr3t", "s3://key:s3cr3t@ho st/bucket",
		"s3://key:s3cr3t@host/BAD_bucket!",
	} {
		_, err := s3store.Open(t.Context(), s3store.Options{URL: u, Timeout: time.Second})
		if err == nil {
			t.Errorf("%s is accepted", u)
			continue
		}
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestServerErrors(t *testing.T) {
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url, Retry: quick})
	if err := s.Put(t.Context(), "k", []byte("body")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		code   string
		want   mailerr.Kind
	}{
		{503, "SlowDown", mailerr.Unavailable},
		{503, "SlowDownRead", mailerr.Unavailable},
		{500, "InternalError", mailerr.Unavailable},
		{502, "", mailerr.Unavailable},
		{429, "TooManyRequests", mailerr.Unavailable},
		{400, "RequestTimeout", mailerr.Unavailable},
		{400, "BadDigest", mailerr.Unavailable},
		{404, "NoSuchKey", mailerr.NotFound},
		{404, "NoSuchBucket", mailerr.Unavailable},
		{403, "AccessDenied", mailerr.Internal},
		{403, "SignatureDoesNotMatch", mailerr.Internal},
		{416, "InvalidRange", mailerr.Internal},
		{501, "NotImplemented", mailerr.Unavailable},
	} {
		requests := 0
		f.intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			requests++
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(c.status)
			if c.code != "" {
				fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>m</Message></Error>`, c.code)
			}
		})
		_, err := s.ReadRange(t.Context(), "k", 0, 4)
		if !mailerr.Is(err, c.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%d %s: %v, want %q", c.status, c.code, err, c.want)
		}
		if requests != 1 {
			t.Errorf("%d %s: %d requests: retries are not for here", c.status, c.code, requests)
		}
	}
}

func TestAnswersThatLie(t *testing.T) {
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url, Retry: quick})
	data := blobstoretest.Bytes(1, 1000)
	if err := s.Put(t.Context(), "k", data); err != nil {
		t.Fatal(err)
	}
	answer := func(status int, header map[string]string, body []byte) {
		f.intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			_, _ = w.Write(body)
		})
	}
	modified := time.Now().UTC().Format(http.TimeFormat)
	read := func(what string, want mailerr.Kind) {
		t.Helper()
		if got, err := s.ReadRange(t.Context(), "k", 10, 100); !mailerr.Is(err, want) || len(got) > 0 {
			t.Errorf("%s: %d bytes, %v, want %q", what, len(got), err, want)
		}
	}
	answer(200, map[string]string{"Last-Modified": modified, "ETag": `"x"`}, data)
	read("the range is ignored", mailerr.Internal)
	answer(206, map[string]string{"Last-Modified": modified, "Content-Range": "bytes 0-99/1000"}, data[:100])
	read("another range", mailerr.Internal)
	answer(206, map[string]string{"Last-Modified": modified, "Content-Range": "bytes 10-109/1000"}, data[:50])
	read("fewer bytes", mailerr.Internal)
	answer(206, map[string]string{"Last-Modified": modified, "Content-Range": "bytes 10-109/1000", "Content-Length": "100"}, data[:50])
	read("a torn answer", mailerr.Unavailable)

	put := func(what string) {
		t.Helper()
		if err := s.Put(t.Context(), "new", data); !mailerr.Is(err, mailerr.Internal) {
			t.Errorf("%s: %v, want Internal", what, err)
		}
	}
	answer(200, map[string]string{"ETag": `"x"`, "X-Amz-Checksum-Crc32c": "AAAAAA=="}, nil)
	put("another checksum")
	answer(200, map[string]string{"ETag": `"x"`, "Last-Modified": modified, "Content-Length": "0"}, nil)
	put("another size")
	answer(200, map[string]string{"ETag": `"00112233445566778899aabbccddeeff"`, "Last-Modified": modified, "Content-Length": "1000"}, nil)
	put("another MD5")
	answer(200, map[string]string{"ETag": `"00112233445566778899aabbccddeeff"`, "Last-Modified": modified, "Content-Length": "1000",
		"X-Amz-Server-Side-Encryption": "aws:kms"}, nil)
	if err := s.Put(t.Context(), "new", data); err != nil {
		t.Errorf("an ETag of an encrypted object is taken for MD5: %v", err)
	}
}

func TestPartsAreRetried(t *testing.T) {
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url, PartSize: 5 << 20, Retry: quick})
	data := blobstoretest.Bytes(1, 12<<20)
	failed := map[string]bool{}
	f.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		step := r.Method + r.URL.Query().Get("partNumber")
		_, begin := r.URL.Query()["uploads"]
		if !failed[fmt.Sprint(step, begin)] && r.URL.Path != "/bucket/" && r.Method != http.MethodHead {
			failed[fmt.Sprint(step, begin)] = true
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodPost && !begin {
				// Complete it, and lose the answer.
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	u, err := s.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(data); err != nil {
		t.Fatal(err)
	}
	f.intercept(nil)
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.ReadRange(t.Context(), "large", 0, int64(len(data)))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("ReadRange: %v or wrong bytes", err)
	}
	if len(failed) < 3 {
		t.Errorf("too little failed: %v", failed)
	}
}

// TestLostAnswerToComplete: the server completed the upload, but its answer was lost.
func TestLostAnswerToComplete(t *testing.T) {
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url, PartSize: 5 << 20, Retry: quick})
	u, err := s.Create(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, 6<<20)); err != nil {
		t.Fatal(err)
	}
	lost := 0
	f.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPost && lost == 0 {
			lost++
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	if err := u.Commit(t.Context()); err != nil || lost != 1 {
		t.Errorf("Commit: %v, lost answers: %d", err, lost)
	}
}

func TestUploadMemoryIsBounded(t *testing.T) {
	f := newFake(t)
	s := open(t, s3store.Options{URL: f.url, MaxParts: 1})
	first, err := s.Create(t.Context(), "first")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	second, err := s.Create(ctx, "second")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Write([]byte("y")); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("Write beyond the bound: %v, want Unavailable", err)
	}
	second.Abort(ctx)
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	third, err := s.Create(t.Context(), "third")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := third.Write([]byte("z")); err != nil {
		t.Errorf("Write after the first ended: %v", err)
	}
	third.Abort(t.Context())
}

// TestDeadPeer: a server that accepts and never answers is given up.
func TestDeadPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = s3store.Open(t.Context(), s3store.Options{URL: "s3://key:s3cr3t@" + l.Addr().String() + "/bucket?tls=false", Timeout: 50 * time.Millisecond})
	if !mailerr.Is(err, mailerr.Unavailable) || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("Open: %v, want Unavailable", err)
	}
}
