-- Hot and narrow: one row for each message of each mailbox.
CREATE TABLE IF NOT EXISTS messages (
	mailbox_id    {blob} NOT NULL,
	uid           INT8 NOT NULL,
	flags         INT8 NOT NULL,
	keywords      {text} NOT NULL,
	modseq        INT8 NOT NULL,
	internal_date INT8 NOT NULL,
	save_date     INT8 NOT NULL,
	size          INT8 NOT NULL,
	body_id       {blob} NOT NULL,
	PRIMARY KEY (mailbox_id, uid)
) {clustered}
