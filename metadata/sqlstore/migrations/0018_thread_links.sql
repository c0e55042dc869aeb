-- The thread of the first message that had a link, its own or a reference. A link is the account's id (16 bytes) and 8 bytes of
-- a hash of Message-ID and subject, in one column so that many are looked up as a list.
CREATE TABLE IF NOT EXISTS thread_links (
	link      {blob} NOT NULL PRIMARY KEY,
	thread_id {blob} NOT NULL
) {clustered}
