#!/bin/sh
# Makes the tables of harmony and prints the held-out table: sh recipes/harmony/run.sh FOLDER
set -eu
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python}" recipes/harmony/build.py --data "${1:-${SONGWRIGHT_DATA:?give the folder of the corpora}}"
