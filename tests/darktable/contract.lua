-- What the module relies on in darktable's Lua, asked of the real program without its window.
-- $DRIVE_OUT is the file of answers, $DRIVE_PHOTO a photo, $PLUGIN the folder of the module.
-- SPDX-License-Identifier: Apache-2.0

local dt = require "darktable"
local plugin = os.getenv("PLUGIN")
local out = assert(io.open(os.getenv("DRIVE_OUT"), "wb"))

local function log(...)
  local fields = table.pack(...)
  for number = 1, fields.n do
    fields[number] = tostring(fields[number])
  end
  out:write(table.concat(fields, "\t") .. "\n")
  out:flush()
end

local done, why = pcall(function()
  local lines = assert(loadfile(plugin .. "/lib/lines.lua"))()
  local library = assert(loadfile(plugin .. "/lib/library.lua"))()(dt, lines)
  local image = dt.database.import(os.getenv("DRIVE_PHOTO"))
  log("api", dt.configuration.api_version_string)

  -- darktable itself
  image.exif_datetime_taken = "2024:06:15 12:00:00"
  log("own time", image.exif_datetime_taken)
  image.exif_datetime_taken = "nonsense"
  log("own nonsense", image.exif_datetime_taken)
  image.latitude, image.longitude = 0.0, 10.0
  log("own zero", image.latitude, image.longitude)

  -- ours on top of it
  image.latitude, image.longitude = 1.5, 10.0
  image.exif_datetime_taken = "2024:06:15 12:00:00"
  log("time", library.write(image, lines.TIME, "2022-04-02 09:10:51.5"), library.time_of(image))
  log("bad time", library.write(image, lines.TIME, "2022-02-30 09:10:51"), library.time_of(image))
  log("position", library.write(image, lines.POSITION, "-33.8688000, 151.2093000"), library.position_of(image))
  log("bad position", library.write(image, lines.POSITION, "91.0, 0.0"), library.position_of(image))
  log("zero", library.write(image, lines.POSITION, "0.0, 10.0"), library.position_of(image))
  log("no position", library.write(image, lines.POSITION, ""), library.position_of(image))

  image.notes = "my own"
  log("mark", library.mark(image, { "gtloc|contradiction|zone" }, "First.", true))
  log("marked", table.concat(library.words_of(image), ";"), image.red, (image.notes:gsub("\n", "|")))
  log("mark again", library.mark(image, { "gtloc|suspicious|a b", "gtloc|not examined" }, "Second.", true))
  local words = library.words_of(image)
  table.sort(words)
  log("marked again", table.concat(words, ";"), image.red, image.yellow, (image.notes:gsub("\n", "|")))
  log("mark clean", library.mark(image, { "gtloc|clean" }, "", true))
  log("marked clean", table.concat(library.words_of(image), ";"), image.yellow, image.notes)

  -- the whole module loads where there is no window
  log("module", type(assert(loadfile(plugin .. "/gtloc.lua"))().metadata), dt.gui)
  log("translated", dt.gettext.dgettext("gtloc", "audit selection"))
end)
log(done and "done" or "error", why or "")
out:close()
