-- First sitting: import the folder, audit it, look for corrections, apply the one of the wrong clock.
-- SPDX-License-Identifier: Apache-2.0

local dt, drive = ...

dt.preferences.write("gtloc", "colours", "bool", true)
drive.import(os.getenv("DRIVE_PHOTOS"), 24)
drive.act("audit_collection")
drive.dump("audited")
drive.act("select_found")
drive.shot("found")
drive.act("plan")
for _, group in ipairs(drive.gtloc.groups) do
  drive.log("group", group.label, group.photos)
end
drive.shot("planned")
drive.act("apply")
drive.dump("applied")
drive.shot("applied")
