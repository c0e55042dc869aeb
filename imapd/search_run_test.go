package imapd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"
)

// More messages than a window holds: what is decided in the view, by summaries and by reading comes in one order.
func TestSearchWindows(t *testing.T) {
	b := newBed(t)
	const n = 2*fetchWindow + 10
	b.fill(n, func(int) string { return raw("Subject: odd even", "", "text") })
	c := b.session("SELECT INBOX")
	c.do("STORE 1:5,405:410 +FLAGS.SILENT (\\Flagged)")

	var all strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&all, " %d", i)
	}
	for _, keys := range []string{"ALL", "SUBJECT even", "BODY text", "TEXT odd", "OR FLAGGED BODY text", "HEADER X-No y BODY none"} {
		want := "* SEARCH" + all.String() + "\nOK SEARCH completed"
		if strings.Contains(keys, "none") {
			want = "* SEARCH\nOK SEARCH completed"
		}
		c.expect("SEARCH "+keys, want)
	}
	c.expect("SEARCH RETURN (MIN) OR BODY none FLAGGED", "* ESEARCH (TAG \"t9\") MIN 1\nOK SEARCH completed")
	c.expect("SEARCH RETURN (MIN) 6:* OR SUBJECT none (FLAGGED BODY text)", "* ESEARCH (TAG \"t10\") MIN 405\nOK SEARCH completed")
	c.expect("SEARCH RETURN (MIN MAX COUNT ALL) FLAGGED SUBJECT odd", "* ESEARCH (TAG \"t11\") MIN 1 MAX 410 ALL 1:5,405:410 COUNT 11\nOK SEARCH completed")
	c.expect("UID SEARCH RETURN (MAX) BODY text", fmt.Sprintf("* ESEARCH (TAG \"t12\") UID MAX %d\nOK UID SEARCH completed", n))
}

// What stands anywhere in a long text is found, in every encoding.
func TestSearchLongBody(t *testing.T) {
	b := newBed(t)
	var text strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&text, "word%d Größe\r\n", i)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(text.String()))
	var lines strings.Builder
	for len(encoded) > 0 {
		k := min(76, len(encoded))
		lines.WriteString(encoded[:k] + "\r\n")
		encoded = encoded[k:]
	}
	b.append(
		raw("Content-Type: text/plain; charset=utf-8", "", text.String()),
		raw("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "", lines.String()),
		raw("Content-Type: text/html; charset=utf-8", "", "<p>"+strings.ReplaceAll(text.String(), "\r\n", "<br>\r\n")+"</p>"),
	)
	c := b.session("SELECT INBOX")
	for _, needle := range []string{"WORD0 gr", "word12345 ", "word39999 gr"} {
		c.expect(`SEARCH BODY "`+needle+`"`, "* SEARCH 1 2 3\nOK SEARCH completed")
	}
	c.expect("SEARCH BODY {17+}\r\nWORD23456 GRÖßE", "* SEARCH 1 2 3\nOK SEARCH completed")
	c.expect("SEARCH BODY word40000", "* SEARCH\nOK SEARCH completed")
	c.expect(`SEARCH BODY "</p>"`, "* SEARCH\nOK SEARCH completed")
}

// Headers that the summary does not hold are read.
func TestSearchHeader(t *testing.T) {
	b := newBed(t)
	b.append(
		raw("X-One: first", "x-one: =?utf-8?q?z=C3=BCrich?=", "Subject: a", "", "x"),
		raw("X-Two: "+strings.Repeat("long ", 50_000)+"end", "Subject: b", "", "x"),
		raw("Subject: c", "Content-Type: message/rfc822", "", "Subject: forwarded", "X-One: inner", "", "deep text"),
	)
	c := b.session("SELECT INBOX")
	for args, want := range map[string]string{
		"HEADER X-One first":                 " 1",
		"HEADER X-ONE {7+}\r\nZÜRICH":        " 1",
		`HEADER X-One ""`:                    " 1",
		"HEADER X-Two end":                   " 2",
		`HEADER X-Two "long long"`:           " 2",
		"NOT HEADER X-Two end":               " 1 3",
		"SUBJECT forwarded":                  "",
		"BODY forwarded":                     " 3",
		"BODY inner":                         " 3",
		"TEXT first":                         " 1",
		"BODY first":                         "",
		`TEXT "X-One: first"`:                " 1",
		`BODY "deep text"`:                   " 3",
		"OR HEADER X-One first BODY deep":    " 1 3",
		"HEADER X-One first HEADER X-Two no": "",
	} {
		c.expect("SEARCH "+args, "* SEARCH"+want+"\nOK SEARCH completed")
	}
}

// A search ends with its session, whatever it waits for, and makes do with what the others leave it.
func TestSearchReads(t *testing.T) {
	b := newBed(t)
	const n = 2*searchBatch + 10
	b.fill(n, func(int) string { return raw("Subject: s", "", "text") })
	c := b.session("SELECT INBOX")
	search := func(ctx context.Context, change func(*searchRun)) (int, error) {
		s, err := searchFor("BODY text")
		if err != nil {
			t.Fatal(err)
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		r := c.s.newSearchRun(ctx, c.s.sel, s.program)
		change(r)
		err = r.run()
		return len(r.hits), err
	}

	found, err := search(t.Context(), func(r *searchRun) { r.reads = semaphore.NewWeighted(1) })
	if found != n || err != nil {
		t.Errorf("one message at a time: %d found, %v", found, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batches := 0
	_, err = search(ctx, func(r *searchRun) {
		r.away = func(wait func() error) error {
			if batches++; batches == 3 {
				cancel()
			}
			return wait()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the session: %v", err)
	}

	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	_, err = search(ctx, func(r *searchRun) {
		r.reads = semaphore.NewWeighted(1)
		if !r.reads.TryAcquire(1) {
			t.Error("no budget")
		}
		away := r.away
		r.away = func(wait func() error) error {
			stop := time.AfterFunc(10*time.Millisecond, cancel)
			defer stop.Stop()
			return away(wait)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for others: %v", err)
	}
}
