-- Secrets with which accounts vouch for URLs into mailboxes.
CREATE TABLE IF NOT EXISTS url_keys (
	mailbox_id {blob} NOT NULL,
	account_id {blob} NOT NULL,
	url_key    {blob} NOT NULL,
	PRIMARY KEY (mailbox_id, account_id)
) {clustered}
