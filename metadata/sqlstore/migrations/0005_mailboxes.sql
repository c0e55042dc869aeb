CREATE TABLE IF NOT EXISTS mailboxes (
	mailbox_id      {blob} NOT NULL PRIMARY KEY,
	account_id      {blob} NOT NULL,
	name            {text} NOT NULL,
	uid_validity    INT8 NOT NULL,
	uid_next        INT8 NOT NULL,
	highest_modseq  INT8 NOT NULL,
	expunged_before INT8 NOT NULL,
	messages        INT8 NOT NULL,
	unseen          INT8 NOT NULL,
	deleted         INT8 NOT NULL,
	size            INT8 NOT NULL,
	first_recent    INT8 NOT NULL,
	special_use     {text} NOT NULL,
	created         INT8 NOT NULL
) {hot row}
