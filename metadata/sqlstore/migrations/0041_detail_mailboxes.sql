-- The accounts that do not leave it to their domain whether mail for a detail goes to the mailbox of that name: 1 on, 2 off.
CREATE TABLE IF NOT EXISTS detail_mailboxes (
	account_id {blob} NOT NULL PRIMARY KEY,
	switch     INT8 NOT NULL
) {clustered}
