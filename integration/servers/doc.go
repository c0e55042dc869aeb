// Package servers gives tests the real servers Rookery stands on: PostgreSQL, CockroachDB, Redis, MinIO, Postfix.
//
// A server is started at its first use in a test process, on a free loopback port, with its data in a temporary folder, and
// ends with the test process, however that ends: a reaper holds a pipe whose other end only the test process has. Tests get
// a fresh database or bucket each.
//
// A running server is used instead of starting one when its variable is set:
//
//	ROOKERY_TEST_POSTGRES_URL   postgresql://USER@HOST:PORT/DATABASE (may create databases)
//	ROOKERY_TEST_COCKROACH_URL  postgresql://USER@HOST:PORT/DATABASE (may create databases)
//	ROOKERY_TEST_REDIS_ADDR     HOST:PORT
//	ROOKERY_TEST_S3_URL         s3://KEY:SECRET@HOST:PORT/?tls=false (may create buckets)
//
// A server that is missing fails the test when CI is set, and skips it with a reason otherwise.
package servers
