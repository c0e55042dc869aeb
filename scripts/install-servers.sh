#!/usr/bin/env bash
# Installs the servers and clients the tests use, on Debian as root; elsewhere it says what is missing.
set -euo pipefail

declare -A programs=(
  [postgresql]=/usr/lib/postgresql/*/bin/postgres
  [redis-server]=/usr/bin/redis-server
  [postfix]=/usr/sbin/postfix
  [curl]=/usr/bin/curl
  [isync]=/usr/bin/mbsync
  [offlineimap3]=/usr/bin/offlineimap
  [mutt]=/usr/bin/mutt
  [neomutt]=/usr/bin/neomutt
  [getmail6]=/usr/bin/getmail
  [fetchmail]=/usr/bin/fetchmail
  [mpop]=/usr/bin/mpop
  [rspamd]=/usr/bin/rspamd
  [sieve-connect]=/usr/bin/sieve-connect
  [php-cli]=/usr/bin/php
  [php-net-sieve]=/usr/share/php/Net/Sieve.php
  [roundcube-plugins]=/usr/share/roundcube/plugins/managesieve/managesieve.php
  [python3]=/usr/bin/python3
  [nodejs]=/usr/bin/node
  [npm]=/usr/bin/npm
)
missing=()
for package in "${!programs[@]}"; do
  compgen -G "${programs[$package]}" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing for the tests that need them: ${missing[*]}" >&2
  echo "As root on Debian this installs them: apt-get install ${missing[*]}" >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi

echo "Installing ${missing[*]}" >&2
# The packages would start servers of their own; the tests start private ones.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
{ apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"
