-- Messages that leave by SMTP, one recipient each. shard spreads the index of what is due; ended items have shards of their
-- own. next_attempt is also the end of a lease, and of an ended item. pack_id is empty when the bytes are in data.
CREATE TABLE IF NOT EXISTS outbound (
	item_id      {blob} NOT NULL PRIMARY KEY,
	shard        INT8 NOT NULL,
	next_attempt INT8 NOT NULL,
	state        INT8 NOT NULL,
	account_id   {blob} NOT NULL,
	kind         {text} NOT NULL,
	sender       {text} NOT NULL,
	recipient    {text} NOT NULL,
	created      INT8 NOT NULL,
	attempts     INT8 NOT NULL,
	last_error   {text} NOT NULL,
	holder       {text} NOT NULL,
	prefix       {blob} NOT NULL,
	body         {blob} NOT NULL,
	pack_id      {blob} NOT NULL,
	pack_offset  INT8 NOT NULL,
	pack_length  INT8 NOT NULL,
	frames       {blob} NOT NULL,
	stored       INT8 NOT NULL
)
