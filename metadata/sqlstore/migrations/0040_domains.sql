-- How mail for the addresses of a domain is handled. detail_mailbox: 0 as the installation, 1 on, 2 off.
CREATE TABLE IF NOT EXISTS domains (
	name           {text} NOT NULL PRIMARY KEY,
	alias_of       {text} NOT NULL,
	catch_all      {text} NOT NULL,
	delimiter      {text} NOT NULL,
	keep_case      INT8 NOT NULL,
	detail_mailbox INT8 NOT NULL
) {clustered}
