-- The thread of the first message that had a link (a hash of Message-ID and subject), its own or a reference.
CREATE TABLE IF NOT EXISTS thread_links (
	account_id {blob} NOT NULL,
	link       {blob} NOT NULL,
	thread_id  {blob} NOT NULL,
	PRIMARY KEY (account_id, link)
) {clustered}
