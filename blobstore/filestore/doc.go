// Package filestore keeps objects as files in a directory: the object store of one machine.
//
// A file is written under a temporary name, synced and renamed; then the directory is synced, and so are the directories
// above it that had to be made. So an object that Put or Commit acknowledged survives a power cut, and a torn one is never
// visible. Temporary files live in ".tmp" (keys never begin with a dot), in one directory per open Store, locked by it; what
// dead processes left there is swept at Open.
package filestore
