package sqlstore

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

const noScript = "no such script"

var (
	sqlAddScriptOwner  = newText("add script owner", `INSERT INTO sieve_owners (owner, active, version) VALUES ($1, '', 0) ON CONFLICT (owner) DO NOTHING`)
	sqlLockScriptOwner = newText("lock script owner", `SELECT active, version FROM sieve_owners WHERE owner = $1 {for update}`)
	sqlSaveScriptOwner = newText("save script owner", `UPDATE sieve_owners SET active = $2, version = $3 WHERE owner = $1`)
	sqlScripts         = newText("scripts", `SELECT name, size, updated, errors, error, error_at FROM sieve_scripts WHERE owner = $1 ORDER BY name`)
	sqlPutScript       = newText("put script", `INSERT INTO sieve_scripts (owner, name, source, size, updated, errors, error, error_at)
		VALUES ($1, $2, $3, $4, $5, 0, '', 0) ON CONFLICT (owner, name) DO UPDATE SET source = excluded.source,
		size = excluded.size, updated = excluded.updated, errors = 0, error = '', error_at = 0`)
	sqlDeleteScript = newText("delete script", `DELETE FROM sieve_scripts WHERE owner = $1 AND name = $2`)
	sqlRenameScript = newText("rename script", `UPDATE sieve_scripts SET name = $3 WHERE owner = $1 AND name = $2`)
	sqlScriptError  = newText("script error", `UPDATE sieve_scripts SET errors = errors + 1, error = $3, error_at = {now}
		WHERE owner = $1 AND name = $2 RETURNING errors`)
	sqlDeleteScripts     = newText("delete scripts of owner", `DELETE FROM sieve_scripts WHERE owner = $1`)
	sqlDeleteScriptOwner = newText("delete script owner", `DELETE FROM sieve_owners WHERE owner = $1`)
)

// scripts is an owner's scripts while a transaction holds their lock: the clock row of an account, which keeps it from being
// removed meanwhile, and the owner's row.
type scripts struct {
	s     *Store
	owner metadata.ScriptOwner
	metadata.ScriptState
	list []metadata.SieveScript
}

// lockScripts locks an owner's scripts and lists them. NotFound.
func (s *Store) lockScripts(ctx context.Context, op string, tx sqldb.Tx, owner metadata.ScriptOwner) (*scripts, error) {
	o := &scripts{s: s, owner: owner}
	l := s.newLedger()
	var stmts []*sqldb.Stmt
	id, isAccount := owner.Account()
	if isAccount {
		stmts = l.lock(id)
	}
	lock := sqlLockScriptOwner.stmt(&s.words, 0, []byte(owner))
	lock.Each = func(r sqldb.Row) error { return r.Scan(&o.Active, &o.Version) }
	err := tx.Run(ctx, append(stmts, sqlAddScriptOwner.stmt(&s.words, 0, []byte(owner)), lock, s.listScripts(owner, &o.list))...)
	if err == nil && isAccount && l.clocks[id] == nil {
		err = mailerr.New(op, mailerr.NotFound, noAccount)
	}
	return o, err
}

// save returns the statement that ends a change.
func (o *scripts) save() *sqldb.Stmt {
	return sqlSaveScriptOwner.stmt(&o.s.words, 0, []byte(o.owner), o.Active, o.Version+1)
}

func (o *scripts) has(name string) bool {
	for i := range o.list {
		if o.list[i].Name == name {
			return true
		}
	}
	return false
}

// listScripts returns the statement that reads an owner's scripts into list.
func (s *Store) listScripts(owner metadata.ScriptOwner, list *[]metadata.SieveScript) *sqldb.Stmt {
	st := sqlScripts.stmt(&s.words, 0, []byte(owner))
	st.Each = func(r sqldb.Row) error {
		var sc metadata.SieveScript
		var updated, errorAt int64
		err := r.Scan(&sc.Name, &sc.Size, &updated, &sc.Error.Errors, &sc.Error.Text, &errorAt)
		sc.Updated, sc.Error.At = fromMicros(updated), fromMicros(errorAt)
		*list = append(*list, sc)
		return err
	}
	return st
}

// PutScript implements metadata.Store.
func (s *Store) PutScript(ctx context.Context, owner metadata.ScriptOwner, name, source string, limits metadata.ScriptLimits) error {
	const op = "metadata.PutScript"
	if err := checkScriptName(op, name); err != nil {
		return err
	}
	if !utf8.ValidString(source) || strings.ContainsRune(source, 0) {
		return mailerr.New(op, mailerr.Invalid, "a script is text in UTF-8")
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		o, err := s.lockScripts(ctx, op, tx, owner)
		if err != nil {
			return err
		}
		if err := limits.Check(o.list, name, int64(len(source))); err != nil {
			return err
		}
		put := sqlPutScript.stmt(&s.words, 0, []byte(owner), name, []byte(source), int64(len(source)), micros(s.now()))
		return tx.Run(ctx, put, o.save())
	}, nil)
}

// DeleteScript implements metadata.Store.
func (s *Store) DeleteScript(ctx context.Context, owner metadata.ScriptOwner, name string) error {
	const op = "metadata.DeleteScript"
	if checkScriptName(op, name) != nil {
		return mailerr.New(op, mailerr.NotFound, noScript)
	}
	deleted := false
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		o, err := s.lockScripts(ctx, op, tx, owner)
		switch {
		case err != nil:
			return err
		case !o.has(name) && deleted: // by a try before, whose commit was ambiguous
			return nil
		case !o.has(name):
			return mailerr.New(op, mailerr.NotFound, noScript)
		case o.Active == name:
			return mailerr.New(op, mailerr.InUse, "the script is active")
		}
		deleted = true
		return tx.Run(ctx, sqlDeleteScript.stmt(&s.words, 0, []byte(owner), name), o.save())
	}, nil)
}

// RenameScript implements metadata.Store.
func (s *Store) RenameScript(ctx context.Context, owner metadata.ScriptOwner, from, to string) error {
	const op = "metadata.RenameScript"
	if err := checkScriptName(op, to); err != nil {
		return err
	}
	if checkScriptName(op, from) != nil {
		return mailerr.New(op, mailerr.NotFound, noScript)
	}
	renamed := false
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		o, err := s.lockScripts(ctx, op, tx, owner)
		switch {
		case err != nil:
			return err
		case renamed && !o.has(from) && o.has(to): // by a try before, whose commit was ambiguous
			return nil
		case !o.has(from):
			return mailerr.New(op, mailerr.NotFound, noScript)
		case from == to:
			return nil
		case o.has(to):
			return mailerr.New(op, mailerr.Exists, "there is a script of that name")
		}
		renamed = true
		if o.Active == from {
			o.Active = to
		}
		return tx.Run(ctx, sqlRenameScript.stmt(&s.words, 0, []byte(owner), from, to), o.save())
	}, nil)
}

// ActivateScript implements metadata.Store.
func (s *Store) ActivateScript(ctx context.Context, owner metadata.ScriptOwner, name string) error {
	const op = "metadata.ActivateScript"
	if name != "" && checkScriptName(op, name) != nil {
		return mailerr.New(op, mailerr.NotFound, noScript)
	}
	return s.change(ctx, op, func(tx sqldb.Tx) error {
		o, err := s.lockScripts(ctx, op, tx, owner)
		if err != nil {
			return err
		}
		if name != "" && !o.has(name) {
			return mailerr.New(op, mailerr.NotFound, noScript)
		}
		o.Active = name
		return tx.Run(ctx, o.save())
	}, nil)
}

// RecordScriptError implements metadata.Store.
func (s *Store) RecordScriptError(ctx context.Context, owner metadata.ScriptOwner, name, text string) (errors int64, err error) {
	const op = "metadata.RecordScriptError"
	if !validScriptName(name) {
		return 0, nil
	}
	text = storedText(text)
	err = s.change(ctx, op, func(tx sqldb.Tx) error {
		errors = 0
		st := sqlScriptError.stmt(&s.words, 0, []byte(owner), name, text)
		st.Each = func(r sqldb.Row) error { return r.Scan(&errors) }
		return tx.Run(ctx, st)
	}, nil)
	return errors, err
}

// storedText makes a text that came from anywhere one that every engine stores, of at most 1,000 bytes.
func storedText(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == 0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > 1000 {
		text = strings.ToValidUTF8(text[:1000], "")
	}
	return text
}

// checkScriptName holds names to RFC 5804 section 1.6: no control characters, no line or paragraph separators.
func checkScriptName(op, name string) error {
	switch {
	case len(name) > metadata.MaxScriptName:
		return mailerr.New(op, mailerr.Invalid, "the name is too long")
	case !validScriptName(name):
		return mailerr.New(op, mailerr.Invalid, "not a name for a script")
	}
	return nil
}

func validScriptName(name string) bool {
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }
	return name != "" && len(name) <= metadata.MaxScriptName && utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}
