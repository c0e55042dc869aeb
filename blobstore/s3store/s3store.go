package s3store

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

var _ blobstore.Store = (*Store)(nil)

// Options say where the bucket is and how to treat it.
type Options struct {
	// URL is s3://KEY:SECRET@HOST[:PORT]/BUCKET. KEY and SECRET are percent-encoded; without them the environment and the
	// machine's role are asked. Parameters: tls (true), region (us-east-1), lookup (auto, dns, path), ca (a PEM file).
	URL string

	Timeout  time.Duration // of one request without its body; a second for each MiB of body is added. 0: 20 s
	PartSize int           // of multipart uploads, bytes; at least 5 MiB. 0: 8 MiB
	MaxParts int           // parts in memory, in all uploads together; more wait. 0: 32
	MaxConns int           // connections to the server; more requests wait. 0: 256
	Retry    blobstore.RetryOptions
}

// Store is a bucket.
type Store struct {
	core      minio.Core
	bucket    string
	secure    bool
	timeout   time.Duration
	partSize  int
	retry     blobstore.RetryOptions
	transport *http.Transport

	slots chan struct{} // one for each part in memory
	parts sync.Pool     // of *[]byte with partSize capacity
}

const minPartSize = 5 << 20

// Open connects to the bucket, and makes it when it is missing and the server allows. Invalid for Options that cannot be
// right, Unavailable for a server that does not answer, Internal for one that refuses.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "s3store.Open"
	t, err := parseURL(o.URL)
	if err != nil {
		return nil, mailerr.Wrap(op, mailerr.Invalid, err)
	}
	s := &Store{
		bucket:   t.bucket,
		secure:   t.secure,
		timeout:  orDefault(o.Timeout, 20*time.Second),
		partSize: max(orDefault(o.PartSize, 8<<20), minPartSize),
		retry:    o.Retry,
		slots:    make(chan struct{}, orDefault(o.MaxParts, 32)),
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	s.transport = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       t.tls,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConns:          orDefault(o.MaxConns, 256),
		MaxIdleConnsPerHost:   orDefault(o.MaxConns, 256),
		MaxConnsPerHost:       orDefault(o.MaxConns, 256),
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // a range is a range of stored bytes
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
	}
	creds := credentials.NewStaticV4(t.key, t.secret, "")
	if t.key == "" {
		creds = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.IAM{Client: &http.Client{Transport: s.transport}}})
	}
	client, err := minio.New(t.endpoint, &minio.Options{
		Creds: creds, Secure: t.secure, Transport: s.transport, Region: t.region, BucketLookup: t.lookup, MaxRetries: 1})
	if err != nil {
		return nil, mailerr.Wrap(op, mailerr.Invalid, err)
	}
	s.core = minio.Core{Client: client}
	if err := s.makeBucket(ctx, t.region); err != nil {
		s.transport.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// makeBucket sees to the bucket. A key that may use the bucket but not ask for it is told apart by using it.
func (s *Store) makeBucket(ctx context.Context, region string) error {
	const op = "s3store.Open"
	ctx, cancel := s.bound(ctx, 0)
	defer cancel()
	exists, err := s.core.BucketExists(ctx, s.bucket)
	if err == nil && !exists {
		err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region})
		switch minio.ToErrorResponse(err).Code {
		case minio.BucketAlreadyOwnedByYou, minio.BucketAlreadyExists, minio.AccessDenied:
			err = nil // another node was faster, or Ping tells
		}
	}
	if err != nil && minio.ToErrorResponse(err).Code != minio.AccessDenied {
		return wrap(op, err)
	}
	return s.Ping(ctx)
}

// bound limits a request with a body of size bytes in time, so that a peer that died without a word is noticed.
func (s *Store) bound(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.timeout+time.Duration(size>>20)*time.Second)
}

// Ping proves that the bucket can be reached and read.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.page(ctx, "s3store.Ping", "", "", 1)
	return err
}

// Close ends idle connections. Uploads must have ended.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// wrap classifies an error. Only what the server says about the object itself is an answer; when it refuses us (credentials,
// permissions, a missing bucket) that is a fault of our set-up, which no client may hear of.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *mailerr.Error
	if errors.As(err, &known) {
		return err
	}
	var resp minio.ErrorResponse
	if !errors.As(err, &resp) {
		return mailerr.Wrap(op, mailerr.Unavailable, err) // no answer: network, time-out, cancelled
	}
	kind := mailerr.Internal
	switch {
	case resp.Code == minio.NoSuchKey:
		kind = mailerr.NotFound
	case resp.Code == minio.NoSuchBucket:
		kind = mailerr.Unavailable
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout:
		kind = mailerr.Unavailable
	case resp.StatusCode == http.StatusOK:
		kind = mailerr.Unavailable // an error in the body, as CompleteMultipartUpload may send
	}
	switch resp.Code {
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "RequestTimeout", "InternalError", "ServiceUnavailable", "XMinioServerNotInitialized",
		"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody", "OperationAborted":
		kind = mailerr.Unavailable // busy, or the body was damaged on its way
	}
	return mailerr.Wrap(op, kind, err)
}
