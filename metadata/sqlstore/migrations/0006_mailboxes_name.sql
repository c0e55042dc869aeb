CREATE UNIQUE INDEX IF NOT EXISTS mailboxes_name ON mailboxes (account_id, name)
