-- The clock and the quota of one user: narrow, updated by every change to any of the user's mailboxes.
CREATE TABLE IF NOT EXISTS accounts (
	account_id      {blob} NOT NULL PRIMARY KEY,
	modseq          INT8 NOT NULL,
	used_bytes      INT8 NOT NULL,
	used_messages   INT8 NOT NULL,
	quota_bytes     INT8 NOT NULL,
	quota_messages  INT8 NOT NULL,
	last_uid_validity INT8 NOT NULL,
	disabled        INT8 NOT NULL,
	created         INT8 NOT NULL
) {hot row}
