#!/bin/sh
# From the archives of open data to a composer: sh recipes/composer/run.sh DATA OUT [small|base|tiny] [minutes]
# DATA holds the corpora, packed or unpacked; OUT gets shards, curves, states and weights. The same line goes on after
# a stop, and after so many minutes it stops by itself. Needs the extra `train`.
set -eu
cd "$(dirname "$0")/../.."
python="${PYTHON:-python}"
data="${1:?give the folder of the data}"
out="${2:?give a folder for shards, curves and states}"
minutes="${4:-0}"
case "${3:-small}" in
  small) recipe=recipes/composer name=composer ;;
  base) recipe=recipes/composer/base.toml name=composer-base ;;
  tiny) recipe=recipes/composer/config-tiny.toml name=composer-tiny ;;
  *) echo "no size is called $3: small, base, tiny" >&2; exit 2 ;;
esac
export SONGWRIGHT_SHARDS="$out/shards"
[ -f "$SONGWRIGHT_SHARDS/manifest.json" ] || "$python" -m songwright prepare-scores "$data" -o "$SONGWRIGHT_SHARDS"
"$python" -m songwright.training "$recipe" -o "$out/$name" --minutes "$minutes"
