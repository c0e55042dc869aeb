CREATE TABLE IF NOT EXISTS subscriptions (
	account_id {blob} NOT NULL,
	name       {text} NOT NULL,
	PRIMARY KEY (account_id, name)
) {clustered}
