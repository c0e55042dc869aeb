CREATE INDEX IF NOT EXISTS messages_modseq ON messages (mailbox_id, modseq)
