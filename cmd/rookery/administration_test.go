package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// schemaStore is a metadata store of which only the schema's version is asked.
type schemaStore struct {
	metadata.Store
	have, want int64
	migrated   bool
}

func (s *schemaStore) SchemaVersion(context.Context) (int64, int64, error) {
	return s.have, s.want, nil
}

func (s *schemaStore) Migrate(context.Context) error {
	s.migrated = true
	return nil
}

func TestPrepareSchema(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for _, tc := range []struct {
		metadata   string
		have, want int64
		refused    string
		migrated   bool
	}{
		{"sqlite:x", 0, 15, "", true}, {"sqlite:x", 14, 15, "", true}, {"sqlite:x", 15, 15, "", false}, {"sqlite:x", 16, 15, "", false},
		{"postgresql://h/d", 0, 15, "the database is empty; run `rookery migrate`", false},
		{"cockroachdb://h/d", 14, 15, "version 14 and this binary needs 15; run `rookery migrate`", false},
		{"postgresql://h/d", 15, 15, "", false}, {"postgresql://h/d", 16, 15, "", false},
	} {
		s := &schemaStore{have: tc.have, want: tc.want}
		err := prepareSchema(t.Context(), &config.Config{Metadata: tc.metadata}, s, log)
		if (err == nil) != (tc.refused == "") || err != nil && !strings.Contains(err.Error(), tc.refused) || s.migrated != tc.migrated {
			t.Errorf("%+v: %v, migrated %v", tc, err, s.migrated)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{mailerr.New("op", mailerr.Exists, "x is taken"), "x is taken"},
		{mailerr.Wrap("metadata.Accounts", mailerr.Unavailable, errors.New("refused")), "the storage does not answer (metadata.Accounts): refused"},
		{mailerr.Wrap("op", mailerr.Internal, errors.New("broken")), "op: internal error: broken"},
	} {
		if got := explain(tc.err); got != tc.want {
			t.Errorf("%v is explained as %q, want %q", tc.err, got, tc.want)
		}
	}
}
