#!/bin/sh
# Makes the tables of melody and prints the held-out table: sh recipes/melody/run.sh FOLDER
set -eu
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python}" recipes/melody/build.py --data "${1:-${SONGWRIGHT_DATA:?give the folder of the corpora}}"
