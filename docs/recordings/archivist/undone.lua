-- Second sitting, darktable started anew: take the correction back.
-- SPDX-License-Identifier: Apache-2.0

local dt, drive = ...

drive.wait_for(function()
  return #dt.database == 24
end)
pcall(dt.gui.libs.collect.filter, {})
drive.act("select_found")
drive.act("undo")
drive.dump("undone")
drive.shot("undone")
