CREATE INDEX IF NOT EXISTS url_keys_account ON url_keys (account_id)
