CREATE INDEX IF NOT EXISTS acl_grantee ON acl (grantee, mailbox_id)
