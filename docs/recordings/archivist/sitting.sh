#!/bin/sh
# One sitting with the real darktable in a display of its own: sitting.sh STEPS.lua. Its steps are ours, its clicks too:
# each calls what a button of the module calls. Settings and library lie in ./darktable, pictures go to ./shots.
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p darktable shots
DRIVE=$here/$1 DRIVE_OUT=$PWD/darktable/$1.out DRIVE_PHOTOS=$PWD/deposit DRIVE_SHOTS=$PWD/shots
export DRIVE DRIVE_OUT DRIVE_PHOTOS DRIVE_SHOTS
rm -f "$DRIVE_OUT"
grep -q drive.lua darktable/luarc || printf 'dofile("%s")\n' "$here/../../../tests/darktable/drive.lua" >>darktable/luarc
printf '%s\n' plugins/lighttable/gtloc/expanded=TRUE ui_last/window_w=1500 ui_last/window_h=950 >darktable/darktablerc.new
[ -f darktable/darktablerc ] || mv darktable/darktablerc.new darktable/darktablerc
# Where the machine is busy darktable 4.2 may stand still at its start (docs/photo-managers.md): then it is started again.
xvfb-run -a -s '-screen 0 1500x950x24' sh -c '
  for attempt in 1 2 3; do
    darktable --disable-opencl --configdir darktable --cachedir darktable/cache --library darktable/library.db \
      >darktable/log 2>&1 &
    for second in $(seq 900); do
      grep -qE "^(done|error)" "$DRIVE_OUT" 2>/dev/null && break
      [ "$second" -gt 60 ] && [ ! -f "$DRIVE_OUT" ] && break
      sleep 1
    done
    kill $!
    for second in $(seq 20); do kill -0 $! 2>/dev/null || break; sleep 1; done
    kill -9 $! 2>/dev/null # it may wait for ever for a job that was there when it was told to end
    rm -f darktable/*.lock # it is gone, and another process may have its number by now
    [ -f "$DRIVE_OUT" ] && break
    echo "darktable stood still at its start; once more"
  done'
grep -E '^(said|group|done|error)' "$DRIVE_OUT"
