#!/bin/sh
# Check photos…: audits each folder it is given, or asks for one, and opens the report; nothing in a folder is changed.
# SPDX-License-Identifier: Apache-2.0
# Each folder has a case of its own in the folder below; what was said is in the .log file beside it.
cases="${XDG_DATA_HOME:-$HOME/.local/share}/gtloc/cases"
mkdir -p -- "$cases" || exit 2

tell() {
    if command -v notify-send >/dev/null 2>&1; then
        notify-send -- "gtloc" "$1"
    fi
    printf '%s\n' "$1"
}

if [ "$#" -eq 0 ]; then
    if command -v kdialog >/dev/null 2>&1; then
        chosen=$(kdialog --getexistingdirectory "$HOME") || exit 0
    elif command -v zenity >/dev/null 2>&1; then
        chosen=$(zenity --file-selection --directory) || exit 0
    else
        tell "name a folder of photos: neither kdialog nor zenity is there to ask for one"
        exit 2
    fi
    set -- "$chosen"
fi

worst=0
for folder in "$@"; do
    [ -d "$folder" ] || continue
    whole=$(cd -- "$folder" && pwd -P) || continue
    case_folder="$cases/$(basename -- "$whole")-$(printf '%s' "$whole" | cksum | cut -d ' ' -f 1)"
    tell "$whole …"
    @GTLOC@ audit --open -o "$case_folder" -- "$whole" >"$case_folder.log" 2>&1
    code=$?
    tell "$(tail -n 1 -- "$case_folder.log")"
    [ "$code" -gt "$worst" ] && worst=$code
done
exit "$worst"
