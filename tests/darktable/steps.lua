-- One session with the module; see tests/test_plugin_darktable.py, which says what must come of it.
-- SPDX-License-Identifier: Apache-2.0

local dt, drive = ...
local photos = os.getenv("DRIVE_PHOTOS")

dt.preferences.write("gtloc", "no_model", "bool", true)
dt.preferences.write("gtloc", "colours", "bool", true)
drive.act("audit_selection")
drive.import(photos .. "/nordvale", 8)

-- stopped as soon as it began, as the cross of its job does
drive.gtloc.audit_collection()
drive.gtloc.state.cancelled = true
drive.wait_for(function()
  return not drive.gtloc.busy
end)
drive.log("said", "cancelled", drive.gtloc.message)

-- darktable goes on meanwhile
local ticks, ticking = 0, true
dt.control.dispatch(function()
  while ticking do
    dt.control.sleep(100)
    ticks = ticks + 1
  end
end)
drive.act("audit_collection")
ticking = false
drive.log("ticks", ticks)
drive.dump("audited")
drive.act("select_found")
drive.log("selected", #dt.gui.selection())
drive.act("review")
drive.act("plan")
for _, group in ipairs(drive.gtloc.groups) do
  drive.log("group", group.label, group.photos)
end
drive.shot("planned")

-- one photo that a person dated by hand, one that changed on the disk since
for _, image in ipairs(dt.database) do
  if image.filename == "NV000139.JPG" then
    image.exif_datetime_taken = "2022:04:20 20:00:00"
  end
end
drive.act("apply")
drive.dump("applied")
drive.shot("applied")
drive.act("undo")
drive.dump("undone")
drive.act("undo")
drive.act("plan")
drive.act("apply")
drive.act("select_found")
drive.act("reset")
drive.dump("reset")
drive.act("audit_collection")
drive.dump("audited again")

-- an import that is audited by itself
dt.preferences.write("gtloc", "on_import", "bool", true)
drive.import(photos .. "/copies", 1)
drive.wait_for(function()
  for _, image in ipairs(dt.database) do
    if image.filename:sub(1, 4) == "IMG_" and #dt.tags.get_tags(image) > 0 and drive.gtloc.info(image) ~= "" then
      return not drive.gtloc.busy
    end
  end
end)
drive.dump("imported")

-- a case that is marked as evidence
dt.preferences.write("gtloc", "on_import", "bool", false)
drive.import(photos .. "/exhibit", 1)
for _, image in ipairs(dt.database) do
  if image.filename == "exhibit.jpg" then
    dt.gui.selection({ image })
  end
end
drive.act("audit_selection")
drive.dump("exhibit")

-- a program that is not there
dt.preferences.write("gtloc", "program", "file", "/no/such program")
drive.act("audit_selection")
dt.preferences.write("gtloc", "program", "file", "")

-- hidden and shown again, as the script manager does
drive.script.destroy()
drive.script.restart()
drive.shot("end")
