-- Limits of domains, and what their accounts held when it was summed up last.
CREATE TABLE IF NOT EXISTS domain_quotas (
	domain_name    {text} NOT NULL PRIMARY KEY,
	quota_bytes    INT8 NOT NULL,
	quota_messages INT8 NOT NULL,
	used_bytes     INT8 NOT NULL,
	used_messages  INT8 NOT NULL,
	is_over        INT8 NOT NULL
)
