package s3store

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
)

// target is a parsed URL.
type target struct {
	endpoint string
	bucket   string
	key      string
	secret   string
	region   string
	secure   bool
	lookup   minio.BucketLookupType
	tls      *tls.Config
}

// parseURL reads s3://KEY:SECRET@HOST[:PORT]/BUCKET?tls=true&region=us-east-1&lookup=auto&ca=FILE. Its errors never hold the
// secret, so the URL itself is never in them.
func parseURL(s string) (*target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("not a URL; KEY and SECRET must be percent-encoded")
	}
	if u.Scheme != "s3" {
		return nil, errors.New("must begin with s3://")
	}
	t := &target{endpoint: u.Host, bucket: strings.Trim(u.Path, "/"), secure: true,
		tls: &tls.Config{MinVersion: tls.VersionTLS12}}
	if u.User != nil {
		t.key = u.User.Username()
		t.secret, _ = u.User.Password()
	}
	switch {
	case t.endpoint == "":
		return nil, errors.New("no HOST")
	case t.bucket == "" || strings.Contains(t.bucket, "/"):
		return nil, errors.New("one BUCKET is expected after HOST")
	case (t.key == "") != (t.secret == ""):
		return nil, errors.New("KEY and SECRET belong together")
	case u.Fragment != "" || u.RawFragment != "":
		return nil, errors.New("an unexpected # (%23 in KEY or SECRET)")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("malformed parameters")
	}
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "tls":
			if t.secure, err = strconv.ParseBool(value); err != nil {
				return nil, errors.New("tls must be true or false")
			}
		case "region":
			t.region = value
		case "lookup":
			lookups := map[string]minio.BucketLookupType{"auto": minio.BucketLookupAuto, "dns": minio.BucketLookupDNS, "path": minio.BucketLookupPath}
			lookup, ok := lookups[value]
			if !ok {
				return nil, errors.New("lookup must be auto, dns or path")
			}
			t.lookup = lookup
		case "ca":
			if t.tls.RootCAs, err = readCA(value); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown parameter %q; known are tls, region, lookup, ca", name)
		}
	}
	if t.region == "" && !strings.HasSuffix(u.Hostname(), ".amazonaws.com") {
		t.region = "us-east-1" // what such servers call themselves; saves asking
	}
	return t, nil
}

func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: no certificate in %s", file)
	}
	return pool, nil
}
