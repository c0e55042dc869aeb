CREATE TABLE IF NOT EXISTS sieve_scripts (
	owner    {blob} NOT NULL,
	name     {text} NOT NULL,
	source   {blob} NOT NULL,
	size     INT8 NOT NULL,
	updated  INT8 NOT NULL,
	errors   INT8 NOT NULL,
	error    {text} NOT NULL,
	error_at INT8 NOT NULL,
	PRIMARY KEY (owner, name)
)
