package mailstore

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/rookery-mail/rookery/metadata"
)

// bitmapOf returns the UIDs of a set as a bitmap.
func bitmapOf(set metadata.UIDSet) *roaring.Bitmap {
	b := roaring.New()
	for _, r := range set {
		b.AddRange(uint64(r.First), uint64(r.Last)+1)
	}
	return b
}

// setOf returns the UIDs of a bitmap as a set.
func setOf(b *roaring.Bitmap) metadata.UIDSet {
	var (
		set metadata.UIDSet
		buf [512]uint32
	)
	for it := b.ManyIterator(); ; {
		n := it.NextMany(buf[:])
		if n == 0 {
			return set
		}
		for _, u := range buf[:n] {
			uid := metadata.UID(u)
			if k := len(set); k > 0 && set[k-1].Last+1 == uid {
				set[k-1].Last = uid
			} else {
				set = append(set, metadata.UIDRange{First: uid, Last: uid})
			}
		}
	}
}

// maxUID returns the highest UID of a bitmap, 0 when it is empty.
func maxUID(b *roaring.Bitmap) metadata.UID {
	if b.IsEmpty() {
		return 0
	}
	return metadata.UID(b.Maximum())
}

// intersect returns the UIDs of set that are in known.
func intersect(set metadata.UIDSet, known *roaring.Bitmap) metadata.UIDSet {
	switch {
	case len(set) == 0 || known.IsEmpty():
		return nil
	case len(set) == 1 && set[0].First == set[0].Last:
		if known.Contains(uint32(set[0].First)) {
			return set
		}
		return nil
	}
	mask := bitmapOf(clamp(set, maxUID(known)))
	mask.And(known)
	return setOf(mask)
}

// clamp returns set without what is above last: a range to the end of all UIDs would cost a bitmap of all UIDs.
func clamp(set metadata.UIDSet, last metadata.UID) metadata.UIDSet {
	out := make(metadata.UIDSet, 0, len(set))
	for _, r := range set {
		if r.First > last {
			break
		}
		out = append(out, metadata.UIDRange{First: r.First, Last: min(r.Last, last)})
	}
	return out
}
