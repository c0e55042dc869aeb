// Package s3store keeps objects in a bucket of an S3-compatible object store: MinIO, AWS S3, Ceph, versitygw.
//
// Uploads carry a CRC-32C that the server verifies and echoes; a server that does not echo it is asked for size and ETag
// instead. Large objects go up as multipart uploads, part by part, with one part in memory for each upload and a bound on all
// of them together. The client library's own retries are off: blobstore.Retry is the one place that decides, and only parts of
// a multipart upload, which it cannot replay, are tried again here.
package s3store
