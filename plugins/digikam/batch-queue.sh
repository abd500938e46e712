#!/bin/sh
# A custom script for digiKam's Batch Queue Manager: hands a picture on unchanged, its corrected sidecar beside it.
# Usage: GTLOC_FOLDER=FOLDER GTLOC_CASE=CASE batch-queue.sh INPUT OUTPUT
# FOLDER is the audited folder, CASE its case, in which `gtloc correct CASE --apply` has written sidecars. A picture
# that is not below FOLDER, or of which there is no sidecar, is handed on without one.
# SPDX-License-Identifier: Apache-2.0
set -eu

folder=${GTLOC_FOLDER:?set it to the audited folder}
sidecars=${GTLOC_CASE:?set it to the case of that folder}/sidecars
input=${1:?name the picture}
output=${2:?name where the queue wants it}

cp -- "$input" "$output"
case $input in
    "${folder%/}"/*) below=${input#"${folder%/}"/} ;;
    *) exit 0 ;;
esac
for name in "$below.xmp" "${below%.*}.xmp"; do
    if [ -f "$sidecars/$name" ]; then
        cp -- "$sidecars/$name" "$output.xmp"
        exit 0
    fi
done
