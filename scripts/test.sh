#!/usr/bin/env bash
# Runs go test on the packages given, with room for the slow ones. Servers missing as non-root skip their tests aloud.
set -euo pipefail
# Two packages at a time: the servers that tests start share the machine.
exec go test -timeout 25m -p 2 "$@"
