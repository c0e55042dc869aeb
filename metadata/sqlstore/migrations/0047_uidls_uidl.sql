CREATE UNIQUE INDEX IF NOT EXISTS uidls_uidl ON uidls (account_id, uidl)
