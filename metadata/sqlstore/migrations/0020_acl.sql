-- Who may use a mailbox besides its owner. grantee is an account's address, or "@" and a domain.
CREATE TABLE IF NOT EXISTS acl (
	mailbox_id {blob} NOT NULL,
	grantee    {text} NOT NULL,
	denies     INT8 NOT NULL,
	rights     INT8 NOT NULL,
	PRIMARY KEY (mailbox_id, grantee, denies)
) {clustered}
