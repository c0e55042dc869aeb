-- What an account does once: a vacation response to an address, a delivery of a Message-ID. claimant is empty once it is
-- settled.
CREATE TABLE IF NOT EXISTS sieve_handles (
	account_id {blob} NOT NULL,
	handle     {blob} NOT NULL,
	shard      INT8 NOT NULL,
	claimant   {text} NOT NULL,
	expires    INT8 NOT NULL,
	PRIMARY KEY (account_id, handle)
) {clustered}
