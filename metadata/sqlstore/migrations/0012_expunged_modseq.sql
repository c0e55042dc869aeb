CREATE INDEX IF NOT EXISTS expunged_modseq ON expunged (mailbox_id, modseq)
