CREATE INDEX IF NOT EXISTS outbound_pack ON outbound (pack_id)
