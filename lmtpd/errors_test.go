package lmtpd

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/mailstore"
)

func TestEveryKindHasAReply(t *testing.T) {
	want := map[mailerr.Kind][2]string{ // at RCPT, after the message
		mailerr.Internal:    {"451 4.3.0", "451 4.3.0"},
		mailerr.NotFound:    {"550 5.1.1", "550 5.1.1"},
		mailerr.Exists:      {"451 4.3.0", "451 4.3.0"},
		mailerr.Permission:  {"550 5.7.1", "550 5.7.1"},
		mailerr.OverQuota:   {"452 4.2.2", "452 4.2.2"},
		mailerr.InUse:       {"451 4.2.0", "451 4.2.0"},
		mailerr.Expunged:    {"451 4.3.0", "451 4.3.0"},
		mailerr.Limit:       {"452 4.5.3", "452 4.5.3"},
		mailerr.TooBig:      {"552 5.3.4", "552 5.3.4"},
		mailerr.Invalid:     {"501 5.1.3", "554 5.6.0"},
		mailerr.Unavailable: {"451 4.3.0", "451 4.3.0"},
	}
	s := &Server{}
	for _, k := range mailerr.Kinds() {
		if _, ok := want[k]; !ok {
			t.Errorf("%v has no row here", k)
			continue
		}
		for at, want := range want[k] {
			r := s.replyFor(mailerr.Wrap("op", k, errors.New("secret")), place(at))
			if got := fmt.Sprintf("%d %d.%d.%d", r.Code, r.EnhancedCode[0], r.EnhancedCode[1], r.EnhancedCode[2]); got != want {
				t.Errorf("%v at %d: %s, want %s", k, at, got, want)
			}
			if strings.Contains(r.Message, "secret") {
				t.Errorf("%v: the cause leaks: %q", k, r.Message)
			}
		}
	}
	s.cfg.OverQuotaPermanent = true
	if r := s.replyFor(mailerr.New("op", mailerr.OverQuota, ""), atData); r.Code != 552 || r.EnhancedCode != [3]int{5, 2, 2} {
		t.Errorf("over quota for good: %v", r)
	}
	if r := s.replyFor(errors.New("secret"), atData); r.Code != 451 || strings.Contains(r.Message, "secret") {
		t.Errorf("a plain error: %v", r)
	}
	if r := s.replyFor(mailerr.New("op", mailerr.NotFound, "two\r\n250 lines"), atData); strings.ContainsAny(r.Message, "\r\n") {
		t.Errorf("a reply of several lines: %q", r.Message)
	}
}

// What is ours is an error in the log; a sender that kept others waiting is not.
func TestLogTrouble(t *testing.T) {
	for want, err := range map[string]error{
		"ERROR": mailerr.New("op", mailerr.Unavailable, ""),
		"WARN":  mailerr.Wrap("op", mailerr.Unavailable, mailstore.ErrTooSlow),
		"INFO":  mailerr.New("op", mailerr.OverQuota, ""),
	} {
		var out strings.Builder
		logTrouble(slog.New(slog.NewTextHandler(&out, nil)), "x", err, "client", "192.0.2.1")
		if got := out.String(); !strings.Contains(got, "level="+want+" ") || !strings.Contains(got, "client=192.0.2.1") {
			t.Errorf("%v: %q, want %s", err, got, want)
		}
	}
}

func TestCombine(t *testing.T) {
	var (
		gone  = mailerr.New("op", mailerr.NotFound, "")
		full  = mailerr.New("op", mailerr.OverQuota, "")
		later = mailerr.New("op", mailerr.Unavailable, "")
		rude  = mailerr.New("op", mailerr.Permission, "")
	)
	s := &Server{}
	for _, c := range []struct {
		errs []error
		want int
	}{
		{[]error{nil}, 250},
		{[]error{nil, nil}, 250},
		{[]error{gone}, 550},
		{[]error{gone, rude}, 550},
		{[]error{nil, later}, 451},
		{[]error{gone, full}, 452},
		{[]error{nil, gone}, 450}, // somebody has it, somebody never will: not for the sender to hear as "nobody"
	} {
		if r := s.combine(c.errs); r.Code != c.want || r.Code/100 != r.EnhancedCode[0] {
			t.Errorf("%v: %v, want %d", c.errs, r, c.want)
		}
	}
}
