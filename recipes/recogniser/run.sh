#!/bin/sh
# Makes the recogniser and measures it: sh recipes/recogniser/run.sh WORK [FOLDER of the corpora]
# Needs the extra `train`. Stop it when you like: it goes on where it was.
set -eu
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1
python="${PYTHON:-python}"
work="${1:?give a folder for spectra and checkpoints}"
data="${2:-${SONGWRIGHT_DATA:-}}"
"$python" recipes/recogniser/prepare.py --out "$work/shards" ${data:+--data "$data"}
"$python" recipes/recogniser/train.py --shards "$work/shards" --work "$work/training"
"$python" recipes/recogniser/measure.py --shards "$work/shards" --side test --out recipes/recogniser/expected.json
"$python" recipes/recogniser/onset_meter.py ${data:+--data "$data"}
