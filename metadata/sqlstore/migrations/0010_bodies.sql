-- Cold and immutable, but for the place of the bytes. modseq is the account's at the time the row was added: where a search
-- for the body's first message row begins.
CREATE TABLE IF NOT EXISTS bodies (
	account_id {blob} NOT NULL,
	body_id    {blob} NOT NULL,
	modseq     INT8 NOT NULL,
	pack_id    {blob} NOT NULL,
	pack_offset INT8 NOT NULL,
	pack_length INT8 NOT NULL,
	frames     {blob} NOT NULL,
	stored     INT8 NOT NULL,
	prefix     {blob} NOT NULL,
	hash       {blob} NOT NULL,
	summary    {blob} NOT NULL,
	PRIMARY KEY (account_id, body_id)
)
