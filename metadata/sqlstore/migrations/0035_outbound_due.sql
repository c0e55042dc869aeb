CREATE INDEX IF NOT EXISTS outbound_due ON outbound (shard, next_attempt)
