#!/bin/bash
# Records the way of docs/archivist.md anew: record.sh WORKFOLDER. Needs gtloc, a PYTHON with its packages, darktable, xvfb-run, tmux, sqlite3, and
# ImageMagick's import. Leaves archivist.cast (asciicast), archivist.txt (the terminal at its end) and shots/*.png there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
mkdir -p "$work"
cd "$work"
[ -d deposit ] || "${PYTHON:-python3}" "$here/deposit.py" deposit
rm -rf deposit/*.xmp deposit.audit darktable data shots archivist.*
export XDG_DATA_HOME=$PWD/data
cat >.recording.rc <<'RC'
PS1='$ '
PROMPT_COMMAND='tmux wait-for -S prompt'
RC
tmux -L recording new-session -d -s way -x 80 -y 40 "env -u TMUX_PANE PATH='$here:$PATH' bash --rcfile .recording.rc -i"
tmux -L recording set-option -g history-limit 20000
tmux -L recording pipe-pane -t way "python3 '$here/asciicast.py' archivist.cast 80 40"
tmux -L recording wait-for prompt
say() {
  sleep 0.5 # the prompt is printed just after it is told
  tmux -L recording send-keys -t way -l "$1"
  tmux -L recording send-keys -t way Enter
  tmux -L recording wait-for prompt
}
say 'ls deposit | column -c 80'
say 'sha256sum deposit/* > before.sha256'
say 'gtloc audit deposit'
say 'gtloc correct deposit.audit'
say 'gtloc plugin install darktable --into darktable'
say 'sitting.sh found-and-corrected.lua'
say 'library-times.sh darktable/library.db NV%'
say 'sha256sum --quiet -c before.sha256 && echo every photo as before'
say 'sitting.sh undone.lua'
say 'library-times.sh darktable/library.db NV%'
say 'sha256sum --quiet -c before.sha256 && echo every photo as before'
say 'gtloc verify darktable/gtloc-cases/*'
tmux -L recording capture-pane -p -S - -t way >archivist.txt
tmux -L recording kill-session -t way
