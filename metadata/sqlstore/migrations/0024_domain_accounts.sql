-- Which accounts a domain has: for sums over them.
CREATE TABLE IF NOT EXISTS domain_accounts (
	domain_name {text} NOT NULL,
	account_id  {blob} NOT NULL,
	PRIMARY KEY (domain_name, account_id)
) {clustered}
