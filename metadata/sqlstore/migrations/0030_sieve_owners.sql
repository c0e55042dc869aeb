-- Whose scripts: the 16 bytes of an account's id, or longer for an administrator's. version rises with every change to any.
CREATE TABLE IF NOT EXISTS sieve_owners (
	owner   {blob} NOT NULL PRIMARY KEY,
	active  {text} NOT NULL,
	version INT8 NOT NULL
)
