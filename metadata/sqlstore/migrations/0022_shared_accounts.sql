-- The account that owns the shared mailboxes of a domain, which it serves.
CREATE TABLE IF NOT EXISTS shared_accounts (
	serves     {text} NOT NULL PRIMARY KEY,
	account_id {blob} NOT NULL
) {clustered}
