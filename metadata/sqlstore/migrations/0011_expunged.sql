-- What is left of a message after EXPUNGE, MOVE, or the deletion of its mailbox.
CREATE TABLE IF NOT EXISTS expunged (
	mailbox_id    {blob} NOT NULL,
	uid           INT8 NOT NULL,
	modseq        INT8 NOT NULL,
	account_id    {blob} NOT NULL,
	body_id       {blob} NOT NULL,
	flags         INT8 NOT NULL,
	keywords      {text} NOT NULL,
	internal_date INT8 NOT NULL,
	save_date     INT8 NOT NULL,
	size          INT8 NOT NULL,
	expunged_at   INT8 NOT NULL,
	PRIMARY KEY (mailbox_id, uid)
) {clustered}
