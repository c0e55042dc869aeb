CREATE UNIQUE INDEX IF NOT EXISTS shared_accounts_account ON shared_accounts (account_id)
