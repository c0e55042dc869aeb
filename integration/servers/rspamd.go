package servers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RspamdPassword is the password of the controllers that StartRspamd starts.
const RspamdPassword = "learn-from-this"

// Rspamd is a controller of the test's own that learns into a Redis of its own.
type Rspamd struct {
	*Process
	URL string

	bayes *redis.Client
}

// StartRspamd returns an rspamd with nothing but a controller and a Bayes classifier.
func StartRspamd(t testing.TB) *Rspamd {
	t.Helper()
	rspamd := find("rspamd", "/usr/bin/rspamd")
	if rspamd == "" {
		missing(t, "rspamd: not installed (apt-get install rspamd)")
	}
	_, bayes := StartRedis(t)
	dir, err := tempDir("rspamd", "")
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	config := filepath.Join(dir, "rspamd.conf")
	if err := os.WriteFile(filepath.Join(dir, "tlds"), []byte("com\norg\ntest\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, `options {
  filters = "";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 100ms; retransmits = 1; }
  tempdir = "%[1]s";
  disable_hyperscan = true;  # compiling for it takes a minute of a busy machine
  url_tld = "%[1]s/tlds";
  pidfile = "%[1]s/rspamd.pid";
  control_socket = "%[1]s/control.sock mode=0600";
}
logging { type = "console"; level = "info"; }
worker "controller" {
  bind_socket = "%[2]s";
  count = 1;
  password = "%[3]s";
  enable_password = "%[3]s";
  secure_ip = null;
  static_dir = "%[1]s";
}
classifier "bayes" {
  tokenizer { name = "osb"; }
  backend = "redis";
  servers = "%[4]s";
  new_schema = true;
  min_tokens = 1;
  min_learns = 1;
  statfile { symbol = "BAYES_HAM"; spam = false; }
  statfile { symbol = "BAYES_SPAM"; spam = true; }
}
`, dir, addr, RspamdPassword, bayes), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Process{name: "rspamd", dir: dir, argv: []string{rspamd, "-f", "-i", "-c", config}, ready: dial(addr)}
	if err := p.Start(); err != nil {
		missing(t, "rspamd: %v", err)
	}
	t.Cleanup(p.Close)
	r := &Rspamd{p, "http://" + addr, redis.NewClient(&redis.Options{Addr: bayes})}
	t.Cleanup(func() { _ = r.bayes.Close() })
	return r
}

// RspamdStat is what an rspamd says it has learned.
type RspamdStat struct {
	Learned   int // since it was started
	Spam, Ham int // in its classifier
}

// Stat asks for the figures.
func (r *Rspamd) Stat() (s RspamdStat, err error) {
	req, err := http.NewRequest(http.MethodGet, r.URL+"/stat", nil) //nolint:noctx // bounded by the client's time-out
	if err != nil {
		return s, err
	}
	req.Header.Set("Password", RspamdPassword)
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	var answer struct {
		Learned int `json:"learned"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
		return s, fmt.Errorf("/stat: %s, %w", res.Status, err)
	}
	s.Learned = answer.Learned
	// What /stat says of the classifier is up to a minute old.
	var learns struct {
		Spam int `redis:"learns_spam"`
		Ham  int `redis:"learns_ham"`
	}
	err = r.bayes.HMGet(context.Background(), "RS", "learns_spam", "learns_ham").Scan(&learns)
	s.Spam, s.Ham = learns.Spam, learns.Ham
	return s, err
}
