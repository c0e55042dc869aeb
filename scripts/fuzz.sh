#!/usr/bin/env bash
# Runs every fuzz test of the module for the given time, one after another.
set -euo pipefail
time=${1:-30s}
go list -f '{{.Dir}} {{.ImportPath}}' ./... | while read -r dir pkg; do
  { grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null || true; } | sed 's/^func //' | while read -r name; do
    echo "== $pkg $name"
    go test "$pkg" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x
  done
done
