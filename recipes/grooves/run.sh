#!/usr/bin/env bash
# Builds compose/tables/grooves.json from groove-midi and checks it against expected.json. Takes about ten seconds.
# Usage: recipes/grooves/run.sh [python] ; the data folder is SONGWRIGHT_DATA.
set -euo pipefail
cd "$(dirname "$0")/../.."
"${1:-python}" recipes/grooves/build.py --check
