package s3store_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/blobstore/blobstoretest"
	"github.com/rookery-mail/rookery/blobstore/s3store"
	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/mailerr"
)

// TestMinIOConformance runs on a MinIO server with four drives.
func TestMinIOConformance(t *testing.T) {
	servers.MinIO(t)
	blobstoretest.Run(t, func(t *testing.T) blobstore.Store {
		return open(t, s3store.Options{URL: servers.MinIO(t), PartSize: 5 << 20})
	})
}

// TestMinIOEchoesChecksums: a checked Put costs one request.
func TestMinIOEchoesChecksums(t *testing.T) {
	u, err := url.Parse(servers.MinIO(t))
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	server := u.Host
	front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		requests.Add(1)
		r.SetURL(&url.URL{Scheme: "http", Host: server})
		r.Out.Host = r.In.Host // it is signed
	}})
	defer front.Close()
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	u.Host = strings.TrimPrefix(front.URL, "http://")
	s := open(t, s3store.Options{URL: u.String(), PartSize: 5 << 20})
	for _, c := range []struct{ size, want int64 }{{4000, 1}, {1 << 20, 1}} {
		requests.Store(0)
		if err := s.Put(t.Context(), "k", blobstoretest.Bytes(1, int(c.size))); err != nil {
			t.Fatal(err)
		}
		if n := requests.Load(); n != c.want {
			t.Errorf("Put of %d bytes took %d requests, want %d", c.size, n, c.want)
		}
	}
}

func TestMinIOGone(t *testing.T) {
	p, u := servers.StartMinIO(t)
	s := open(t, s3store.Options{URL: u})
	if err := s.Put(t.Context(), "k", []byte("body")); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("Ping: %v, want Unavailable", err)
	}
	if _, err := s.ReadRange(t.Context(), "k", 0, 4); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("ReadRange: %v, want Unavailable", err)
	}
	if err := s.Put(t.Context(), "k2", []byte("x")); !mailerr.Is(err, mailerr.Unavailable) {
		t.Errorf("Put: %v, want Unavailable", err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	retried := blobstore.Retry(s, blobstore.RetryOptions{})
	if got, err := retried.ReadRange(t.Context(), "k", 0, 4); err != nil || string(got) != "body" {
		t.Errorf("ReadRange after the server returned: %q, %v", got, err)
	}
}
