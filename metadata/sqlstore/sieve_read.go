package sqlstore

import (
	"context"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
	"github.com/rookery-mail/rookery/metadata/internal/sqldb"
)

var (
	sqlScriptOwner = newText("script owner", `SELECT active, version FROM sieve_owners WHERE owner = $1`)
	sqlScript      = newText("script", `SELECT s.name, s.source, s.updated, s.errors, s.error, s.error_at, COALESCE(o.active, '')
		FROM sieve_scripts AS s LEFT JOIN sieve_owners AS o ON o.owner = s.owner WHERE s.owner = $1 AND s.name = $2`)
	sqlActiveScript = newText("active script", `SELECT s.name, s.source, s.updated, s.errors, s.error, s.error_at, o.active
		FROM sieve_owners AS o JOIN sieve_scripts AS s ON s.owner = o.owner AND s.name = o.active WHERE o.owner = $1`)
	sqlAdminOwners = newText("administrator's script owners", `SELECT owner, active, version FROM sieve_owners WHERE owner >= $1 AND owner < $2`)
)

// Scripts implements metadata.Store.
func (s *Store) Scripts(ctx context.Context, owner metadata.ScriptOwner) (list []metadata.SieveScript, state metadata.ScriptState, err error) {
	err = s.read(ctx, "metadata.Scripts", func() []*sqldb.Stmt {
		list, state = nil, metadata.ScriptState{}
		return []*sqldb.Stmt{s.scriptState(owner, &state), s.listScripts(owner, &list)}
	})
	for i := range list {
		list[i].Active = list[i].Name == state.Active
	}
	return list, state, err
}

func (s *Store) scriptState(owner metadata.ScriptOwner, state *metadata.ScriptState) *sqldb.Stmt {
	st := sqlScriptOwner.stmt(&s.words, 0, []byte(owner))
	st.Each = func(r sqldb.Row) error { return r.Scan(&state.Active, &state.Version) }
	return st
}

// Script implements metadata.Store.
func (s *Store) Script(ctx context.Context, owner metadata.ScriptOwner, name string) (*metadata.SieveScript, error) {
	const op = "metadata.Script"
	if checkScriptName(op, name) != nil {
		return nil, mailerr.New(op, mailerr.NotFound, noScript)
	}
	var found *metadata.SieveScript
	err := s.read(ctx, op, func() []*sqldb.Stmt {
		found = nil
		return []*sqldb.Stmt{wholeScript(sqlScript.stmt(&s.words, 0, []byte(owner), name), &found)}
	})
	if err == nil && found == nil {
		err = mailerr.New(op, mailerr.NotFound, noScript)
	}
	return found, err
}

// ActiveScript implements metadata.Store.
func (s *Store) ActiveScript(ctx context.Context, owner metadata.ScriptOwner) (found *metadata.SieveScript, state metadata.ScriptState, err error) {
	err = s.read(ctx, "metadata.ActiveScript", func() []*sqldb.Stmt {
		found, state = nil, metadata.ScriptState{}
		return []*sqldb.Stmt{s.scriptState(owner, &state), wholeScript(sqlActiveScript.stmt(&s.words, 0, []byte(owner)), &found)}
	})
	return found, state, err
}

// wholeScript lets a statement put the one script it reads into found.
func wholeScript(st *sqldb.Stmt, found **metadata.SieveScript) *sqldb.Stmt {
	st.Each = func(r sqldb.Row) error {
		sc := &metadata.SieveScript{}
		var source []byte
		var updated, errorAt int64
		var active string
		err := r.Scan(&sc.Name, &source, &updated, &sc.Error.Errors, &sc.Error.Text, &errorAt, &active)
		sc.Source, sc.Size, sc.Active = string(source), int64(len(source)), active == sc.Name
		sc.Updated, sc.Error.At = fromMicros(updated), fromMicros(errorAt)
		*found = sc
		return err
	}
	return st
}

// AdminScriptStates implements metadata.Store.
func (s *Store) AdminScriptStates(ctx context.Context) (states map[metadata.ScriptOwner]metadata.ScriptState, err error) {
	// Every owner of the administrator's begins with this, and what follows it is a slash: "0" is the next byte.
	const first, beyond = "administrator/", "administrator0"
	err = s.read(ctx, "metadata.AdminScriptStates", func() []*sqldb.Stmt {
		states = map[metadata.ScriptOwner]metadata.ScriptState{}
		st := sqlAdminOwners.stmt(&s.words, 0, []byte(first), []byte(beyond))
		st.Each = func(r sqldb.Row) error {
			var owner []byte
			var state metadata.ScriptState
			err := r.Scan(&owner, &state.Active, &state.Version)
			// An account's id may lie between the two.
			if o := metadata.ScriptOwner(owner); len(o) != len(metadata.AccountID{}) {
				states[o] = state
			}
			return err
		}
		return []*sqldb.Stmt{st}
	})
	return states, err
}
