CREATE INDEX IF NOT EXISTS annotations_payer ON annotations (payer_id)
