#!/bin/sh
# Prints the capture time that a darktable library (not open now) holds of each photo whose name is like $2.
exec sqlite3 -readonly -separator '  ' "$1" "SELECT filename, strftime('%Y-%m-%d %H:%M:%S',
  datetime_taken / 1000000 - 62135596800, 'unixepoch') FROM images WHERE filename LIKE '$2' ORDER BY filename"
