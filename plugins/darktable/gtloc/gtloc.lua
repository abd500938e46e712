--[[
  gtloc.lua - checks when and where photos claim to be taken, and puts camera clocks right

  Copyright (c) 2026 The gtloc_forensics authors.
  SPDX-License-Identifier: Apache-2.0

  Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with
  the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0. Unless required by
  applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS" BASIS,
  WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.

  DESCRIPTION
    A lighttable module. It audits the photos of the selection, of the collection, or as they are imported: what their
    metadata claims against GPS time, the sun, the light and the other photos of the camera. What it finds becomes
    hierarchical tags (gtloc|outcome|cause), a sentence in the notes, and a colour label where you want one. It shows
    by how much a camera's clock was off, writes corrected times and positions into darktable's library, and takes
    them back.

  USAGE
    gtloc plugin install darktable, or: require "gtloc/gtloc" in luarc, or start it in the script manager.
    The photos are never changed. darktable writes what it knows into .xmp files beside them, as its own preference
    says; these hold times without a zone.

  ADDITIONAL SOFTWARE NEEDED
    gtloc (gtloc_forensics), and exiftool, which it uses.

  BUGS
    darktable's Lua reads a latitude or longitude of exactly 0 back as nothing: such a position is not written.
]]

local dt = require "darktable"

local MODULE = "gtloc"
local here = debug.getinfo(1, "S").source:sub(2):match("^(.*[/\\])") or ""

local function part(name, ...)
  local loaded = assert(loadfile(here .. "lib/" .. name .. ".lua"))()
  return type(loaded) == "function" and loaded(dt, ...) or loaded
end

dt.gettext.bindtextdomain(MODULE, here .. "locale/")

local function _(text)
  return dt.gettext.dgettext(MODULE, text)
end

local lines = part("lines")
local library = part("library", lines)
local program = part("program", lines, here, _)

-- ------------------------------------------------------------------ preferences

local DEFAULT_CASES = dt.configuration.config_dir .. "/gtloc-cases"

local function register_preferences()
  dt.preferences.register(MODULE, "program", "file", _("gtloc: the program"),
    _("which gtloc to use; when empty, the one that installed this module"), "")
  dt.preferences.register(MODULE, "cases", "directory", _("gtloc: folder of cases"),
    _("where audits keep what they found; never in a folder of photos"), DEFAULT_CASES)
  dt.preferences.register(MODULE, "colours", "bool", _("gtloc: colour labels"),
    _("red for a contradiction, yellow for a suspicion"), false)
  dt.preferences.register(MODULE, "on_import", "bool", _("gtloc: audit on import"),
    _("audit the folder of photos that were imported"), false)
  -- darktable from 5.2 (9.5) on may show the line in another's row: its issue 19366 was open in 2025
  dt.preferences.register(MODULE, "info_line", "bool", _("gtloc: line in the image information"),
    _("shows the outcome of the photo; press reset there once, after darktable was started again"),
    dt.configuration.api_version_minor < 5)
  dt.preferences.register(MODULE, "examiner", "string", _("gtloc: who reviews"),
    _("the name that decisions of a review carry; without one its pages only show"), "")
  dt.preferences.register(MODULE, "no_model", "bool", _("gtloc: leave the pixels out"),
    _("audit without the model that looks at the pictures: faster, and it sees less"), false)
end

-- ------------------------------------------------------------------ state and widgets

local gtloc = { busy = false, installed = false, groups = {}, report = nil, message = "", pending = {} }
local widgets = {}

local function say(text, aloud)
  gtloc.message = text
  if widgets.status then
    widgets.status.label = text
  end
  if aloud then
    dt.print(text)
  end
end

local function cases_folder()
  local chosen = dt.preferences.read(MODULE, "cases", "directory")
  return (chosen and chosen ~= "") and chosen or DEFAULT_CASES
end

local function case_of(folder)
  return cases_folder() .. "/" .. lines.case_name(folder)
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- The case in which a folder was audited, by itself or within a folder above it; nil, nil for none.
local function case_with(folder)
  local at = folder
  while at and at ~= "" do
    if exists(case_of(at) .. "/darktable.lines") then
      return case_of(at), at
    end
    at = at:match("^(.+)[/\\][^/\\]+[/\\]*$")
  end
  return nil
end

-- Runs one piece of work at a time as a job with progress that can be cancelled.
local function as_job(title, work)
  if gtloc.busy then
    say(_("gtloc is still at work; wait for it, or stop it in the list of jobs"), true)
    return
  end
  gtloc.busy = true
  local state = { cancelled = false }
  gtloc.state = state
  dt.control.dispatch(function()
    local has_job, job = pcall(dt.gui.create_job, title, true, function()
      state.cancelled = true
    end)
    local function tell(percent, stage, done, total)
      if has_job and job.valid then
        job.percent = percent
      end
      if stage == "examine" and (total or 0) > 0 then
        say(string.format(_("examining photo %d of %d"), done, total))
      end
    end
    local worked, why = pcall(work, state, tell)
    if has_job and job.valid then
      job.valid = false
    end
    gtloc.busy = false
    if not worked then
      dt.print_error(MODULE .. ": " .. tostring(why))
      say(_("a fault of this module; darktable's log names it"), true)
    end
    if gtloc.idle then
      gtloc.idle()
    end
  end)
end

local function breathe(number)
  if number % 20 == 0 then
    dt.control.sleep(5) -- lets darktable's window and other scripts in
  end
end

-- Whether something may be written into the library for photos of this case: not where they are evidence and darktable
-- would lay files beside them.
local function may_write(is_evidence)
  if is_evidence and library.writes_sidecars() then
    say(_("marked as evidence, and darktable would write .xmp files beside the photos: nothing is written"), true)
    return false
  end
  return true
end

-- ------------------------------------------------------------------ audit

local function mark_images(rows, images, folder, state, tally)
  local by_relative = library.by_relative(images, folder)
  local with_colour = dt.preferences.read(MODULE, "colours", "bool")
  for number, row in ipairs(rows) do
    local held = row[1] == "photo" and by_relative[row[2]]
    if held and not state.cancelled then
      local words = lines.listed(row.raw[3])
      for _, image in ipairs(held) do
        if library.mark(image, words, row[4], with_colour) then
          tally.marked = tally.marked + 1
        else
          tally.failed = tally.failed + 1
        end
      end
      tally.found = tally.found + (lines.is_found(words) and #held or 0)
    end
    breathe(number)
  end
end

local function audit_folder(folder, images, state, tell, tally)
  local case = case_of(folder)
  local found = case .. "/darktable.lines"
  local arguments = { "audit", folder, "-o", case, "--lines", found, "--no-report" }
  if dt.preferences.read(MODULE, "no_model", "bool") then
    arguments[#arguments + 1] = "--model"
    arguments[#arguments + 1] = "none"
  end
  local code, complaint = program.run(arguments, state, tell)
  if code == 2 or not (code == 0 or code == 1 or code == 3) then
    return false, complaint
  end
  local rows, why = lines.read(found)
  if not rows then
    return false, why
  end
  local head = rows[1] or {}
  if not may_write(head[1] == "case" and head[3] == "evidence") then
    return false, gtloc.message
  end
  mark_images(rows, images, folder, state, tally)
  return true
end

local function told(tally)
  local text = string.format(_("photos audited: %d, of which found: %d"), tally.marked, tally.found)
  if tally.failed > 0 then
    text = text .. "; " .. string.format(_("not kept by darktable: %d"), tally.failed)
  end
  return text
end

function gtloc.audit(images)
  if #images == 0 then
    say(_("no photo is selected"), true)
    return
  end
  as_job(_("gtloc: auditing"), function(state, tell)
    local folders = lines.outermost(library.folders_of(images))
    local tally = { marked = 0, found = 0, failed = 0 }
    say(_("starting …"))
    for number, folder in ipairs(folders) do
      local whole, why = audit_folder(folder, images, state, function(percent, ...)
        tell((number - 1 + percent) / #folders, ...)
      end, tally)
      if state.cancelled then
        say(_("stopped; the same audit goes on from here"), true)
        return
      end
      if not whole then
        say(why, true)
        return
      end
    end
    say(told(tally), true)
  end)
end

local function listed(images)
  local copy = {}
  for number = 1, #images do
    copy[number] = images[number]
  end
  return copy
end

function gtloc.audit_selection()
  gtloc.audit(listed(dt.gui.selection()))
end

function gtloc.audit_collection()
  gtloc.audit(listed(dt.collection))
end

-- ------------------------------------------------------------------ what was found

local function found_among(images, after_each)
  local found = {}
  for number, image in ipairs(images) do
    if lines.is_found(library.words_of(image)) then
      found[#found + 1] = image
    end
    if after_each then
      after_each(number)
    end
  end
  return found
end

function gtloc.select_found()
  as_job(_("gtloc: selecting"), function(state, tell)
    local images = listed(dt.collection)
    local found = found_among(images, function(number)
      breathe(number)
      tell(number / #images)
    end)
    if not state.cancelled then
      dt.gui.selection(found)
      say(string.format(_("photos selected: %d"), #found))
    end
  end)
end

local WORDS = {
  contradiction = _("contradiction"), suspicious = _("suspicious"), clean = _("clean"),
  ["not testable"] = _("not testable"), ["not examined"] = _("not examined"),
}

function gtloc.info(image)
  local outcome, cause = lines.gravest(library.words_of(image))
  if not outcome then
    return ""
  end
  return "gtloc: " .. (WORDS[outcome] or outcome) .. (cause ~= "" and ", " .. cause or "")
end

-- The photos that a person means: the selection, else what is shown.
local function meant()
  local selection = dt.gui.selection()
  return listed(#selection > 0 and selection or dt.collection)
end

-- The cases of some images: case → the folder it is of. Second: folders that were not audited.
local function cases_of(images)
  local cases, without = {}, 0
  for _, folder in ipairs(library.folders_of(images)) do
    local case, root = case_with(folder)
    if case then
      cases[case] = root
    else
      without = without + 1
    end
  end
  return cases, without
end

function gtloc.open_report()
  local cases = cases_of(meant())
  if not next(cases) then
    say(_("these photos were not audited yet"), true)
    return
  end
  as_job(_("gtloc: writing the report"), function(state)
    for case in pairs(cases) do
      local code, complaint = program.run({ "report", case, "--open" }, state)
      say(code == 0 and _("the report is opened") or complaint, code ~= 0)
    end
  end)
end

-- Opens the pages of gtloc review, which run on beside darktable until nobody looked at them for half an hour.
function gtloc.review()
  local case = next((cases_of(meant())))
  if not case then
    say(_("these photos were not audited yet"), true)
    return
  end
  as_job(_("gtloc: opening the review"), function()
    local arguments = { "review", case }
    local examiner = dt.preferences.read(MODULE, "examiner", "string")
    if examiner and examiner ~= "" then
      arguments[#arguments + 1] = "--examiner"
      arguments[#arguments + 1] = examiner
    end
    local is_up, complaint = program.start(arguments)
    say(is_up and _("the review is open in the browser") or complaint, not is_up)
  end)
end

-- ------------------------------------------------------------------ corrections

local corrections = part("corrections", {
  gtloc = gtloc, lines = lines, library = library, program = program, widgets = widgets, say = say, as_job = as_job,
  breathe = breathe, listed = listed, meant = meant, cases_of = cases_of, may_write = may_write, _ = _,
})

-- ------------------------------------------------------------------ on import

local function audit_pending()
  if gtloc.busy or not next(gtloc.pending) then
    return
  end
  local images = {}
  for folder in pairs(gtloc.pending) do
    for _, image in ipairs(library.images_within(folder)) do
      if image.path == folder then
        images[#images + 1] = image
      end
    end
  end
  gtloc.pending = {}
  if #images > 0 then
    gtloc.audit(images)
  end
end

gtloc.idle = audit_pending

local function imported(_, image)
  if dt.preferences.read(MODULE, "on_import", "bool") then
    gtloc.pending[image.path] = true -- the work waits for the end of the import
  end
end

local function import_ended()
  if next(gtloc.pending) then
    dt.control.dispatch(audit_pending)
  end
end

-- ------------------------------------------------------------------ the module

local function button(label, tooltip, act)
  return dt.new_widget("button") { label = label, tooltip = tooltip, clicked_callback = function()
    act()
  end }
end

local function label(text)
  local made = dt.new_widget("label") { label = text or "", halign = "start" }
  pcall(function()
    made.ellipsize = "end"
    made.selectable = true
  end)
  return made
end

local function row_of(...)
  return dt.new_widget("box") { orientation = "horizontal", ... }
end

local function built()
  widgets.status = label(_("not audited yet"))
  widgets.before, widgets.why = label(), label()
  widgets.cameras = dt.new_widget("combobox") { label = _("camera"), tooltip = _("whose clock or positions to correct"),
    changed_callback = corrections.show_group }
  return dt.new_widget("box") {
    orientation = "vertical",
    row_of(
      button(_("audit selection"), _("audit the folders of the selected photos, and tag these photos"),
        gtloc.audit_selection),
      button(_("audit collection"), _("audit the folders of all photos of the collection"), gtloc.audit_collection)
    ),
    row_of(
      button(_("select found"), _("select the photos of the collection in which something was found"),
        gtloc.select_found),
      button(_("open report"), _("write the report of these photos' folder and open it"), gtloc.open_report),
      button(_("review"), _("look through what was found and decide on it, in the browser"), gtloc.review)
    ),
    widgets.status,
    dt.new_widget("section_label") { label = _("corrections") },
    button(_("look for corrections"), _("what the audit knows by how much it was off"), gtloc.plan),
    widgets.cameras,
    widgets.before,
    widgets.why,
    row_of(
      button(_("apply"),
        _("write the corrected times and positions into darktable's library; the photos stay as they are"),
        gtloc.apply),
      button(_("undo"), _("put back what the last correction replaced"), gtloc.undo)
    ),
    button(_("reset to file"), _("give the selected photos the time and the position that their files hold"),
      gtloc.reset),
  }
end

-- Something that not every version of darktable can do: it is done where it can be.
local function where_possible(name, act)
  local done, why = pcall(act)
  if not done then
    dt.print_log(MODULE .. ": no " .. name .. " in this version of darktable: " .. tostring(why))
  end
  return done
end

local function install_panel()
  dt.register_lib(MODULE, _("time and place"), true, false,
    { [dt.gui.views.lighttable] = { "DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 90 } }, built(), nil, nil)
  gtloc.installed = true
  if gtloc.hidden then -- meanwhile
    dt.gui.libs[MODULE].visible = false
  end
end

local function install_actions()
  where_possible("button among the actions", function()
    dt.gui.libs.image.register_action(MODULE, _("audit time and place"), function(_, images)
      gtloc.audit(listed(images))
    end, _("audit the folders of the selected photos, and tag these photos"))
  end)
  where_possible("button among the selections", function()
    dt.gui.libs.select.register_selection(MODULE, _("select found by gtloc"), function(_, images)
      return found_among(listed(images))
    end, _("select the photos of the collection in which something was found"))
  end)
  if dt.preferences.read(MODULE, "info_line", "bool") then
    where_possible("line in the information on a photo", function()
      dt.gui.libs.metadata_view.register_info(_("time and place"), gtloc.info)
    end)
  end
  for name, act in pairs({
    [_("gtloc: audit selection")] = gtloc.audit_selection,
    [_("gtloc: select found")] = gtloc.select_found,
  }) do
    where_possible("shortcut", function()
      dt.register_event(MODULE .. name, "shortcut", function()
        act()
      end, name)
    end)
  end
end

-- ------------------------------------------------------------------ when darktable has started

local LOOK_MS, QUIET_MS, MOST_S = 250, 2000, 20

-- Waits until darktable has started; false when it ends instead.
-- luarc is read in a thread of its own while the main thread still puts the window together. Until the main loop runs,
-- whatever makes or changes a widget from such a thread may wait for itself for ever (4.2.1), or draw while the main
-- thread draws (darktable issue 22357). Newer versions set a global when it is safe. Older ones tell a script nothing;
-- what can be seen is computing time: a darktable that hardly uses any for a while waits for events, and one that
-- computes on and on (thumbnails) has started after so much of it.
local function wait_for_start()
  local loaded = os.clock()
  local before, quiet_ms = loaded, 0
  while not rawget(_G, "darktable_gui_safe") and quiet_ms < QUIET_MS and before - loaded < MOST_S do
    dt.control.sleep(LOOK_MS)
    if dt.control.ending then
      return false
    end
    local now = os.clock()
    quiet_ms = (now - before) * 1000 < LOOK_MS / 20 and quiet_ms + LOOK_MS or 0
    before = now
  end
  return true
end

local function install_panel_in_lighttable()
  if gtloc.installed then
    return
  end
  if dt.gui.current_view().id == "lighttable" then
    install_panel()
    return
  end
  dt.register_event(MODULE, "view-changed", function(_, _, new)
    if not gtloc.installed and new and new.id == "lighttable" then
      install_panel()
    end
  end)
end

local function install()
  if wait_for_start() then
    register_preferences()
    install_actions()
    install_panel_in_lighttable()
  end
end

local script_data = {}
script_data.metadata = {
  name = _("time and place"),
  purpose = _("check when and where photos claim to be taken, and put camera clocks right"),
  author = "gtloc_forensics",
  help = "gtloc plugin --help",
}
script_data.gtloc = gtloc -- for tests
script_data.destroy_method = "hide" -- a module of the lighttable can only be hidden

function script_data.destroy()
  for _, kind in ipairs({ "post-import-image", "post-import-film" }) do
    pcall(dt.destroy_event, MODULE, kind)
  end
  gtloc.listening, gtloc.hidden = false, true
  if gtloc.installed then
    dt.gui.libs[MODULE].visible = false
  end
end

local function listen()
  if gtloc.listening then
    return
  end
  gtloc.listening = where_possible("audit on import", function()
    dt.register_event(MODULE, "post-import-image", imported)
    dt.register_event(MODULE, "post-import-film", import_ended)
  end)
end

function script_data.restart()
  gtloc.hidden = false
  listen()
  if gtloc.installed then
    dt.gui.libs[MODULE].visible = true
  end
end

script_data.show = script_data.restart

if dt.gui then -- without a window there is nothing to install, and darktable 4.2 waits for ever where it is tried
  listen()
  dt.control.dispatch(install)
end

return script_data
