CREATE INDEX IF NOT EXISTS threads_thread ON threads (account_id, thread_id)
