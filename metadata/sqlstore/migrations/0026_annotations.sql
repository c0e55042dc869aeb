-- Annotations of mailboxes; of the server, where mailbox_id is zero. account_id is whose private one it is, zero for shared ones;
-- payer_id is the account that the space is counted for. size and digest are those of value.
CREATE TABLE IF NOT EXISTS annotations (
	mailbox_id {blob} NOT NULL,
	account_id {blob} NOT NULL,
	entry      {text} NOT NULL,
	payer_id   {blob} NOT NULL,
	size       INT8 NOT NULL,
	digest     INT8 NOT NULL,
	value      {blob} NOT NULL,
	PRIMARY KEY (mailbox_id, account_id, entry)
)
