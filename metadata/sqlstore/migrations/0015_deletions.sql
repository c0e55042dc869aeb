-- Mailboxes whose row is gone and whose messages still have to go to expunged.
CREATE TABLE IF NOT EXISTS deletions (
	mailbox_id {blob} NOT NULL PRIMARY KEY,
	account_id {blob} NOT NULL,
	modseq     INT8 NOT NULL
)
