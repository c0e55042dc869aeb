-- Which conversation a body belongs to. Written with the body, never changed.
CREATE TABLE IF NOT EXISTS threads (
	account_id {blob} NOT NULL,
	body_id    {blob} NOT NULL,
	thread_id  {blob} NOT NULL,
	PRIMARY KEY (account_id, body_id)
) {clustered}
