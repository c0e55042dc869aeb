package servers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

var buckets atomic.Int64

var sharedMinIO = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("ROOKERY_TEST_S3_URL"); u != "" {
		return u, nil
	}
	p, u, err := newMinIO()
	if err != nil {
		return "", err
	}
	return u, p.Start()
})

// MinIO returns the URL of a fresh bucket, s3://KEY:SECRET@HOST:PORT/BUCKET?tls=false, on a MinIO with four drives (erasure
// coding) shared by the test process.
func MinIO(t testing.TB) string {
	t.Helper()
	u, err := sharedMinIO()
	if err != nil {
		missing(t, "MinIO: %v", err)
	}
	return freshBucket(t, u)
}

// StartMinIO returns a MinIO of the test's own and the URL of a bucket on it.
func StartMinIO(t testing.TB) (*Process, string) {
	t.Helper()
	p, u, err := newMinIO()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		missing(t, "MinIO: %v", err)
	}
	t.Cleanup(p.Close)
	return p, freshBucket(t, u)
}

func newMinIO() (*Process, string, error) {
	bin := find("minio")
	if bin == "" {
		return nil, "", fmt.Errorf("there is no minio in .cache/bin or on PATH (make tools)")
	}
	dir, err := tempDir("minio", "")
	if err != nil {
		return nil, "", err
	}
	argv := []string{bin, "server", "--quiet", "--address"}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	argv = append(argv, addr)
	for i := 1; i <= 4; i++ {
		drive := filepath.Join(dir, fmt.Sprintf("drive%d", i))
		if err := os.Mkdir(drive, 0o755); err != nil {
			return nil, "", err
		}
		argv = append(argv, drive)
	}
	return &Process{
		name: "MinIO", dir: dir, argv: argv,
		// MINIO_CI_CD allows drives on the root file system.
		env: []string{"MINIO_CI_CD=1", "MINIO_ROOT_USER=rookery", "MINIO_ROOT_PASSWORD=rookery-secret", "MINIO_BROWSER=off", "MINIO_UPDATE=off"},
		ready: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/minio/health/cluster", nil)
			if err != nil {
				return err
			}
			client := http.Client{Timeout: 5 * time.Second}
			defer client.CloseIdleConnections()
			res, err := client.Do(req)
			if err != nil {
				return err
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("health: %s", res.Status)
			}
			return nil
		},
	}, "s3://rookery:rookery-secret@" + addr + "/?tls=false", nil
}

// freshBucket makes a bucket on the server of u. It is left to the server's end: its data are in a temporary folder.
func freshBucket(t testing.TB, u string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatalf("object store URL: %v", err)
	}
	secret, _ := parsed.User.Password()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	client, err := minio.New(parsed.Host, &minio.Options{
		Creds:     credentials.NewStaticV4(parsed.User.Username(), secret, ""),
		Secure:    parsed.Query().Get("tls") != "false",
		Transport: tr,
	})
	if err != nil {
		t.Fatalf("object store: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	name := fmt.Sprintf("rookery-test-%d-%d", os.Getpid(), buckets.Add(1))
	if err := client.MakeBucket(ctx, name, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("making a bucket: %v", err)
	}
	parsed.Path = "/" + name
	return parsed.String()
}
