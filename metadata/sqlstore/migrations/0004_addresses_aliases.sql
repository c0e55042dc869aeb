CREATE INDEX IF NOT EXISTS addresses_aliases ON addresses (address) WHERE account_id IS NULL
