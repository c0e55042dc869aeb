package sqlstore_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jackc/pgx/v5"

	"github.com/rookery-mail/rookery/integration/servers"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/metadatatest"
	"github.com/rookery-mail/rookery/metadata/sqlstore"
)

// TestBackendsKilled appends from several goroutines while PostgreSQL ends their connections at every moment. Whoever got
// Unavailable repeats the same batch; in the end every message is there once, and UIDs have no holes.
func TestBackendsKilled(t *testing.T) {
	url := servers.PostgreSQL(t)
	s := open(t, sqlstore.Options{URL: url})
	id, box, item := newAccount(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // the test is over
	var g, killer errgroup.Group
	done := make(chan struct{})
	killed := 0
	var stored atomic.Int64 // batches
	killer.Go(func() error {
		const often = 7 * time.Millisecond
		pause, before := often, int64(0)
		wait := time.NewTimer(pause)
		defer wait.Stop()
		for {
			select {
			case <-done:
				return nil
			case <-wait.C:
				// On a machine that does not come to store one batch between two blows, the blows come more slowly.
				if now := stored.Load(); now > before {
					pause, before = often, now
				} else {
					pause = min(2*pause, time.Second)
				}
				tag, err := conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
				if err != nil {
					return err
				}
				killed += int(tag.RowsAffected())
				wait.Reset(pause)
			}
		}
	})
	const writers, batches = 5, 30
	for range writers {
		g.Go(func() error {
			for range batches {
				batch := metadata.AppendBatch{Items: []metadata.AppendItem{item(), item(), item()}}
				for {
					res, err := s.Append(t.Context(), batch)
					if err == nil && (res[0].Err != nil || res[1].UID != res[0].UID+1 || res[2].UID != res[1].UID+1) {
						t.Errorf("results %+v", res)
					}
					if err == nil {
						stored.Add(1)
						break
					}
					if !mailerr.Is(err, mailerr.Unavailable) {
						return err
					}
				}
			}
			return nil
		})
	}
	err = g.Wait()
	close(done)
	if kerr := killer.Wait(); kerr != nil {
		t.Fatal(kerr)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, msgs, err := s.LoadMailbox(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[metadata.BodyID]bool{}
	for i, m := range msgs {
		if m.UID != metadata.UID(i+1) || bodies[m.Body] {
			t.Fatalf("message %d has UID %d, its body was seen: %v", i+1, m.UID, bodies[m.Body])
		}
		bodies[m.Body] = true
	}
	if len(msgs) != writers*batches*3 {
		t.Fatalf("%d messages, want %d", len(msgs), writers*batches*3)
	}
	metadatatest.Check(t.Context(), t, s, id)
	if killed < 10 {
		t.Errorf("only %d connections were ended", killed)
	}
	t.Logf("%d connections were ended", killed)
}

// TestSQLiteSurvivesKill ends a writing process with SIGKILL: every message it told of is there.
func TestSQLiteSurvivesKill(t *testing.T) {
	const env = "ROOKERY_TEST_KILLED_WRITER"
	if url := os.Getenv(env); url != "" {
		writeForever(t, url)
		return
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "rookery.db")
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSQLiteSurvivesKill$", "-test.count=1")
		cmd.Env = append(os.Environ(), env+"="+url)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var account, box string
		told := map[string]bool{}
		for lines.Scan() {
			var body string
			if n, _ := fmt.Sscanf(lines.Text(), "stored %s %s %s", &account, &box, &body); n == 3 {
				told[body] = true
			}
			if len(told) == 150+50*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
		_ = cmd.Wait() // killed
		if len(told) < 150 {
			t.Fatalf("the writer told of %d messages", len(told))
		}
		s := open(t, sqlstore.Options{URL: url})
		boxID, err := metadata.ParseMailboxID(box)
		if err != nil {
			t.Fatal(err)
		}
		_, msgs, err := s.LoadMailbox(t.Context(), boxID)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range msgs {
			if m.UID != metadata.UID(i+1) {
				t.Fatalf("message %d has UID %d", i+1, m.UID)
			}
			delete(told, m.Body.String())
		}
		if len(told) != 0 {
			t.Fatalf("%d messages that were told of are not there", len(told))
		}
		id, err := metadata.ParseAccountID(account)
		if err != nil {
			t.Fatal(err)
		}
		metadatatest.Check(t.Context(), t, s, id)
	}
}

func writeForever(t *testing.T, url string) {
	s := open(t, sqlstore.Options{URL: url})
	id, box, item := newAccount(t, s)
	for {
		it := item()
		res, err := s.Append(t.Context(), metadata.AppendBatch{Items: []metadata.AppendItem{it}})
		if err != nil || res[0].Err != nil {
			t.Fatal(err, res)
		}
		fmt.Printf("stored %v %v %v\n", id, box, it.Body.ID)
	}
}
