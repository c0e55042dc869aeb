package s3store

import (
	"context"
	"crypto/md5" // #nosec G501 -- S3's ETag, compared, not trusted
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/minio/minio-go/v7"

	"github.com/rookery-mail/rookery/blobstore"
	"github.com/rookery-mail/rookery/mailerr"
)

const (
	crcHeader       = "X-Amz-Checksum-Crc32c"
	algorithmHeader = "X-Amz-Checksum-Algorithm"
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// sums are what the server gets to check, and what its answer is compared with.
type sums struct {
	crc    string // base64 of CRC-32C
	sha256 string // hex; "" over TLS, which protects the bytes already
}

func (s *Store) sum(data []byte) sums {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.Checksum(data, crcTable))
	sum := sums{crc: base64.StdEncoding.EncodeToString(b[:])}
	if !s.secure {
		h := sha256.Sum256(data)
		sum.sha256 = hex.EncodeToString(h[:])
	}
	return sum
}

// Put stores one object whole, in one request unless the server does not echo checksums.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	const op = "s3store.Put"
	if err := blobstore.CheckKey(op, key); err != nil {
		return err
	}
	size := int64(len(data))
	ctx, cancel := s.bound(ctx, size)
	defer cancel()
	sum := s.sum(data)
	body := newBody(data)
	defer body.revoke()
	info, err := s.core.PutObject(ctx, s.bucket, key, body, size, "", sum.sha256, minio.PutObjectOptions{
		UserMetadata: map[string]string{crcHeader: sum.crc}, DisableContentSha256: true})
	if err != nil {
		return wrap(op, err)
	}
	switch info.ChecksumCRC32C {
	case sum.crc:
		return nil
	case "":
		return s.checkStored(ctx, op, key, data)
	}
	return stored(op, fmt.Errorf("%s: the server has checksum %s, sent was %s", key, info.ChecksumCRC32C, sum.crc))
}

// checkStored asks a server that does not echo checksums what it has.
func (s *Store) checkStored(ctx context.Context, op, key string, data []byte) error {
	info, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		// Not even there: not an answer to a Put.
		return mailerr.Wrap(op, mailerr.Unavailable, err)
	}
	if info.Size != int64(len(data)) {
		return stored(op, fmt.Errorf("%s: the server has %d bytes, sent were %d", key, info.Size, len(data)))
	}
	encrypted := info.Metadata.Get("X-Amz-Server-Side-Encryption") != "" ||
		info.Metadata.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != ""
	if !encrypted && isMD5(info.ETag) && info.ETag != md5Hex(data) {
		return stored(op, fmt.Errorf("%s: the server has ETag %s", key, info.ETag))
	}
	return nil
}

// stored is the error of an object that arrived other than it was sent.
func stored(op string, err error) error { return mailerr.Wrap(op, mailerr.Internal, err) }

// isMD5 reports whether an ETag looks like that of an object put in one piece.
func isMD5(etag string) bool {
	b, err := hex.DecodeString(etag)
	return err == nil && len(b) == md5.Size
}

func md5Hex(data []byte) string {
	h := md5.Sum(data) // #nosec G401 -- as above
	return hex.EncodeToString(h[:])
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	const op = "s3store.Delete"
	if err := blobstore.CheckKey(op, key); err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx, 0)
	defer cancel()
	err := wrap(op, s.core.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{}))
	if mailerr.Is(err, mailerr.NotFound) {
		return nil
	}
	return err
}

var errFinished = errors.New("the upload has ended")
