-- What only a login and an administrator ask for.
CREATE TABLE IF NOT EXISTS credentials (
	account_id    {blob} NOT NULL PRIMARY KEY,
	address       {text} NOT NULL,
	password_hash {text} NOT NULL
)
