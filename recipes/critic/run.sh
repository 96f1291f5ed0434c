#!/bin/sh
# Learns the critic's table and prints what it is worth: sh recipes/critic/run.sh SHARDS [COMPOSER]
# SHARDS is what `songwright prepare-scores` wrote; COMPOSER what `songwright export` wrote.
set -eu
cd "$(dirname "$0")/../.."
shards="${1:-${SONGWRIGHT_SHARDS:?give the folder of the shards}}"
if [ $# -ge 2 ]; then set -- --composer "$2"; else set --; fi
exec "${PYTHON:-python}" recipes/critic/build.py --shards "$shards" "$@"
