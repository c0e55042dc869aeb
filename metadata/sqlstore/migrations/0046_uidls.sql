-- POP3 unique-ids that messages brought along from another server.
CREATE TABLE IF NOT EXISTS uidls (
	account_id {blob} NOT NULL,
	body_id    {blob} NOT NULL,
	uidl       {text} NOT NULL,
	PRIMARY KEY (account_id, body_id)
) {clustered}
