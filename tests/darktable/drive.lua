-- Drives the module within a real darktable for tests, and writes down what happened.
-- SPDX-License-Identifier: Apache-2.0

local dt = require "darktable"
local script = require "gtloc/gtloc"
local drive = { gtloc = script.gtloc, script = script }

local out = assert(io.open(os.getenv("DRIVE_OUT"), "wb"))

local function encoded(value)
  return (tostring(value):gsub("[%c%%]", function(character)
    return string.format("%%%02X", character:byte())
  end))
end

function drive.log(...)
  local fields = table.pack(...)
  for number = 1, fields.n do
    fields[number] = encoded(fields[number])
  end
  out:write(table.concat(fields, "\t") .. "\n")
  out:flush()
end

-- Waits until something holds, for five minutes at most: an audit on a busy machine takes its time.
function drive.wait_for(holds)
  for _ = 1, 1500 do
    if holds() then
      return true
    end
    dt.control.sleep(200)
  end
  error("waited in vain")
end

-- Does one thing with the module, waits for its end, and writes down what it said.
function drive.act(name, ...)
  drive.gtloc[name](...)
  drive.wait_for(function()
    return not drive.gtloc.busy
  end)
  drive.log("said", name, drive.gtloc.message)
end

function drive.shot(name)
  local folder = os.getenv("DRIVE_SHOTS")
  if folder then
    dt.control.sleep(700)
    dt.control.execute("import -window root '" .. folder .. "/" .. name .. ".png'")
  end
end

function drive.import(folder, photos)
  local before = #dt.database
  dt.database.import(folder)
  drive.wait_for(function()
    return #dt.database == before + photos
  end)
  pcall(dt.gui.libs.collect.filter, {})
end

-- Writes down what darktable holds of every photo.
function drive.dump(moment)
  for _, image in ipairs(dt.database) do
    local words = {}
    for _, tag in ipairs(dt.tags.get_tags(image)) do
      if tag.name:sub(1, 6) == "gtloc|" then
        words[#words + 1] = tag.name
      end
    end
    table.sort(words)
    drive.log("image", moment, image.filename, table.concat(words, ";"), image.exif_datetime_taken or "",
      image.latitude or "", image.longitude or "", image.red, image.yellow, drive.gtloc.info(image), image.notes or "")
  end
end

dt.control.dispatch(function()
  local done, why = pcall(function()
    drive.wait_for(function()
      return drive.gtloc.installed
    end)
    drive.log("installed", dt.configuration.api_version_string)
    assert(loadfile(os.getenv("DRIVE")))(dt, drive)
  end)
  drive.log(done and "done" or "error", why or "")
  out:close()
end)
