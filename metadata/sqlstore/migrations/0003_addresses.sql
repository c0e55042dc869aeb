-- Where mail for an address goes: an account, or the targets of an alias (one to a line).
CREATE TABLE IF NOT EXISTS addresses (
	address    {text} NOT NULL PRIMARY KEY,
	account_id {blob},
	targets    {text} NOT NULL
) {clustered}
