package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/rookery-mail/rookery/mailerr"
	"github.com/rookery-mail/rookery/metadata"
)

// importBatch is how many accounts are looked up, hashed and stored together.
const importBatch = 250

// ImportOptions say how accounts are imported.
type ImportOptions struct {
	Scheme   string          // for plain-text passwords; "": Bulk
	Progress func(done int)  // called from time to time with the rows dealt with; may be nil
	Existing func(ImportRow) // called for each row whose address is taken; may be nil
}

// ImportPlan is what CheckImport found.
type ImportPlan struct {
	Rows    int // good ones
	Plain   int // of them with a password to be hashed
	Bad     []RowError
	MoreBad int // bad rows beyond those in Bad
}

// ImportResult says what became of the rows.
type ImportResult struct {
	Created  int
	Existing int // address taken; left as it was
}

// maxRowErrors bounds ImportPlan.Bad.
const maxRowErrors = 1000

// CheckImport reads a whole file and changes nothing, so that a file with mistakes in it can be refused before its first
// account is made. An address that stands in it twice is a mistake.
func (d *Local) CheckImport(r io.Reader) (*ImportPlan, error) {
	plan := &ImportPlan{}
	bad := func(e RowError) {
		if len(plan.Bad) < maxRowErrors {
			plan.Bad = append(plan.Bad, e)
		} else {
			plan.MoreBad++
		}
	}
	lines := make(map[Address]int)
	rows := newRowReader(r, d.domain)
	for {
		row, wrong, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return plan, nil
		case err != nil:
			return nil, err
		case wrong != nil:
			bad(*wrong)
			continue
		}
		if line, ok := lines[row.Address]; ok {
			bad(RowError{row.Line, fmt.Sprintf("%s stands in line %d already", row.Address, line)})
			continue
		}
		lines[row.Address] = row.Line
		plan.Rows++
		if !row.Hashed {
			plan.Plain++
		}
	}
}

// Import creates the accounts of a file that CheckImport found good, each whole or not at all, and passes over those whose
// address is taken: an import that was interrupted is simply run again. The file is read as a stream. The result is valid
// also when an error ended it. Invalid for a row that is bad after all.
func (d *Local) Import(ctx context.Context, r io.Reader, o ImportOptions) (*ImportResult, error) {
	if o.Scheme == "" {
		o.Scheme = Bulk
	}
	result := &ImportResult{}
	rows := newRowReader(r, d.domain)
	hashed := make(chan []metadata.NewAccount, 1)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { // hashing the next batch goes on while one is stored
		defer close(hashed)
		return d.hashRows(gctx, rows, o, hashed)
	})
	g.Go(func() error {
		for batch := range hashed {
			if err := d.storeRows(gctx, batch, o, result); err != nil {
				return err
			}
		}
		return nil
	})
	return result, g.Wait()
}

// hashRows reads rows, leaves out those that are there already, and hands on the others as accounts, batch by batch. A batch
// has one entry a row; those to be passed over have no ID.
func (d *Local) hashRows(ctx context.Context, rows *rowReader, o ImportOptions, out chan<- []metadata.NewAccount) error {
	for end := false; !end; {
		batch := make([]ImportRow, 0, importBatch)
		names := make([]string, 0, importBatch)
		for len(batch) < importBatch {
			row, wrong, err := rows.next()
			if errors.Is(err, io.EOF) {
				end = true
				break
			}
			if err != nil {
				return err
			}
			if wrong != nil {
				return mailerr.New("directory.Import", mailerr.Invalid, fmt.Sprintf("line %d: %s", wrong.Line, wrong.Why))
			}
			batch = append(batch, row)
			names = append(names, row.Address.String())
		}
		taken, err := d.meta.LookupAddresses(ctx, names)
		if err != nil {
			return err
		}
		accounts := make([]metadata.NewAccount, len(batch))
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(runtime.GOMAXPROCS(0))
		for i, row := range batch {
			accounts[i].Address = names[i]
			if _, ok := taken[names[i]]; ok {
				if o.Existing != nil {
					o.Existing(row)
				}
				continue
			}
			g.Go(func() (err error) {
				accounts[i].PasswordHash = row.Secret
				if !row.Hashed {
					accounts[i].PasswordHash, err = d.hashes.hash(gctx, o.Scheme, row.Secret)
				}
				accounts[i].ID, accounts[i].Mailboxes = metadata.NewAccountID(), NewMailboxes()
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		select {
		case out <- accounts:
		case <-ctx.Done():
			return mailerr.Wrap("directory.Import", mailerr.Unavailable, ctx.Err())
		}
	}
	return nil
}

func (d *Local) storeRows(ctx context.Context, batch []metadata.NewAccount, o ImportOptions, result *ImportResult) error {
	fresh := make([]metadata.NewAccount, 0, len(batch))
	for _, a := range batch {
		if a.ID != (metadata.AccountID{}) {
			fresh = append(fresh, a)
		}
	}
	result.Existing += len(batch) - len(fresh)
	if len(fresh) > 0 {
		errs, err := d.meta.CreateAccounts(ctx, fresh)
		if err != nil {
			return err
		}
		for _, err := range errs {
			switch {
			case err == nil:
				result.Created++
			case mailerr.Is(err, mailerr.Exists): // added by somebody else a moment ago
				result.Existing++
			default:
				return err
			}
		}
	}
	if o.Progress != nil {
		o.Progress(result.Created + result.Existing)
	}
	return nil
}
