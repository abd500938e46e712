#!/bin/sh
# Audits an album of digiKam and lays XMP sidecars beside its photos: keywords of what was found, corrected times.
# Usage: album-sidecars.sh FOLDER CASE [--beside]
# Without --beside the sidecars lie in CASE/sidecars and nothing in FOLDER is changed.
# SPDX-License-Identifier: Apache-2.0
set -u

gtloc() {
    @GTLOC@ "$@"
}

if [ "$#" -lt 2 ]; then
    echo "usage: $0 FOLDER CASE [--beside]" >&2
    exit 2
fi
folder=$1
case_folder=$2
where=${3:-}

gtloc audit --no-report -o "$case_folder" -- "$folder"
code=$?
[ "$code" -eq 2 ] && exit 2

# What the case proposes, then the keywords: two plans, two transactions, each undone by --undo.
for request in "" --keywords; do
    gtloc correct "$case_folder" --plan "$case_folder/digikam.toml" $request || exit $?
    if grep -q '^\[\[change\]\]' "$case_folder/digikam.toml"; then
        gtloc correct "$case_folder" --plan "$case_folder/digikam.toml" --apply $where
        applied=$?
        [ "$applied" -eq 2 ] && exit 2
    fi
done
exit "$code"
