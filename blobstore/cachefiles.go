package blobstore

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cacheFiles are a DiskCache's files: DIR/xx/KEY-OFFSET-LENGTH.range, all in hexadecimal, xx being KEY's beginning. A file is
// the range's bytes and their checksum, which covers the name too.
type cacheFiles struct{ dir string }

const (
	cacheSuffix = ".range"
	cacheTemp   = "new-"
	cacheSumLen = 4
	diskBlock   = 4096
)

// onDisk is the room a file takes.
func onDisk(r *cacheRange) int64 {
	return (r.length + cacheSumLen + diskBlock - 1) / diskBlock * diskBlock
}

func (f cacheFiles) path(r *cacheRange) string {
	name := hex.EncodeToString(r.key[:])
	return filepath.Join(f.dir, name[:2], fmt.Sprintf("%s-%x-%x%s", name, r.offset, r.length, cacheSuffix))
}

// parseCacheName is the inverse of path, for the last part.
func parseCacheName(name string) (r cacheRange, ok bool) {
	var key []byte
	name, ok = strings.CutSuffix(name, cacheSuffix)
	if n, err := fmt.Sscanf(name, "%32x-%x-%x", &key, &r.offset, &r.length); !ok || err != nil || n != 3 || len(key) != len(r.key) {
		return r, false
	}
	copy(r.key[:], key)
	return r, r.offset >= 0 && r.length > 0 && r.offset+r.length > 0
}

func (r *cacheRange) sum(data []byte) [cacheSumLen]byte {
	name := make([]byte, 0, len(r.key)+16)
	name = append(name, r.key[:]...)
	name = binary.LittleEndian.AppendUint64(name, uint64(r.offset))
	name = binary.LittleEndian.AppendUint64(name, uint64(r.length))
	var b [cacheSumLen]byte
	binary.LittleEndian.PutUint32(b[:], crc32.Update(crc32.Checksum(name, crcTable), crcTable, data))
	return b
}

var errCacheFile = errors.New("damaged cache file")

// read returns a file's bytes when they are in order.
func (f cacheFiles) read(r *cacheRange) ([]byte, error) {
	file, err := os.Open(f.path(r))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != r.length+cacheSumLen {
		return nil, errCacheFile
	}
	data := make([]byte, info.Size())
	if n, err := file.ReadAt(data, 0); n < len(data) {
		return nil, cmp.Or(err, errCacheFile)
	}
	want := r.sum(data[:r.length])
	if !bytes.Equal(data[r.length:], want[:]) {
		return nil, errCacheFile
	}
	return data[:r.length], nil
}

// write makes a file. Its directory may have been wiped.
func (f cacheFiles) write(r *cacheRange, data []byte) error {
	path := f.path(r)
	temp, err := os.CreateTemp(filepath.Dir(path), cacheTemp)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		temp, err = os.CreateTemp(filepath.Dir(path), cacheTemp)
	}
	if err != nil {
		return err
	}
	sum := r.sum(data)
	_, err = temp.Write(data)
	if err == nil {
		_, err = temp.Write(sum[:])
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name()) // or at the next start
	}
	return err
}

// remove removes files; one that stays is found at the next start.
func (f cacheFiles) remove(ranges []*cacheRange) {
	for _, r := range ranges {
		_ = os.Remove(f.path(r))
	}
}

// takeUp returns what an earlier DiskCache left, the oldest first, and removes what is of no use.
func (f cacheFiles) takeUp() ([]cacheRange, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	probe, err := os.CreateTemp(f.dir, cacheTemp)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, err
	}
	type found struct {
		cacheRange
		written time.Time
	}
	var all []found
	shards, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	for _, shard := range shards {
		if !shard.IsDir() || len(shard.Name()) != 2 {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(f.dir, shard.Name()))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			path := filepath.Join(f.dir, shard.Name(), e.Name())
			r, ok := parseCacheName(e.Name())
			info, err := e.Info()
			switch {
			case err != nil:
				continue // gone meanwhile
			case ok && f.path(&r) == path && info.Size() == r.length+cacheSumLen:
				all = append(all, found{r, info.ModTime()})
			case strings.HasPrefix(e.Name(), cacheTemp) || strings.HasSuffix(e.Name(), cacheSuffix):
				_ = os.Remove(path)
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int { return a.written.Compare(b.written) })
	ranges := make([]cacheRange, len(all))
	for i := range all {
		ranges[i] = all[i].cacheRange
	}
	return ranges, nil
}
