CREATE INDEX IF NOT EXISTS sieve_handles_expires ON sieve_handles (shard, expires)
