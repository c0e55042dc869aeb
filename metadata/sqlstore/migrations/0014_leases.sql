CREATE TABLE IF NOT EXISTS leases (
	name    {text} NOT NULL PRIMARY KEY,
	holder  {text} NOT NULL,
	expires INT8 NOT NULL
)
