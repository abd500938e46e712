--[[
  Clock and position corrections: what a case proposes, carried out in darktable's library, journalled, taken back.

  gtloc correct writes first (sidecars in its case, its journal, its chain of custody); then the same values go into
  darktable, each with what was there before it in a journal of this module, and the case notes that journal's hash.
  SPDX-License-Identifier: Apache-2.0
]]

return function(dt, module)
  local gtloc, lines, library, program = module.gtloc, module.lines, module.library, module.program
  local widgets, say, as_job, breathe = module.widgets, module.say, module.as_job, module.breathe
  local listed, meant, cases_of, may_write, _ = module.listed, module.meant, module.cases_of, module.may_write, module._

  local SHOWN = 3 -- values before and after that stand in the module; more are in its tooltip

  local function shown_value(text)
    return text == "" and "–" or (text:gsub("(:%d%d)%.%d+$", "%1"))
  end

  -- darktable tells of a photo anew when it is selected anew.
  local function refresh()
    dt.gui.selection(listed(dt.gui.selection()))
  end

  local function show_group()
    local group = widgets.cameras and gtloc.groups[widgets.cameras.selected]
    if not widgets.before then
      return
    end
    if not group then
      widgets.before.label, widgets.why.label = "", ""
      return
    end
    local shown, names = {}, {}
    for number = 1, math.min(SHOWN, #group.changes) do
      local change = group.changes[number]
      shown[number] = shown_value(change.old) .. "  →  " .. shown_value(change.new)
    end
    for number, change in ipairs(group.changes) do
      names[number] = change.relative .. ": " .. shown_value(change.old) .. " → " .. shown_value(change.new)
    end
    if #group.changes > SHOWN then
      shown[#shown + 1] = "…"
    end
    widgets.before.label = table.concat(shown, "\n")
    widgets.before.tooltip = table.concat(names, "\n", 1, math.min(40, #names))
    widgets.why.label = group.changes[1].reason
    widgets.why.tooltip = group.changes[1].reason
  end

  local function show_groups()
    if not widgets.cameras then
      return
    end
    for number = #widgets.cameras, 1, -1 do
      widgets.cameras[number] = nil
    end
    for number, group in ipairs(gtloc.groups) do
      widgets.cameras[number] = string.format(_("%s, photos: %d"), group.label, group.photos)
    end
    widgets.cameras.selected = #gtloc.groups > 0 and 1 or 0
    show_group()
  end

  local function plan_case(case, folder, state)
    local path = case .. "/darktable-plan.lines"
    local plan = case .. "/darktable.toml"
    local code, complaint = program.run({ "correct", case, "--plan", plan, "--lines", path }, state)
    if code ~= 0 then
      return nil, complaint
    end
    local rows, why = lines.read(path)
    if not rows then
      return nil, why
    end
    local groups, elsewhere = lines.by_camera(rows)
    for _, group in ipairs(groups) do
      group.case, group.folder = case, folder
    end
    return groups, elsewhere
  end

  function gtloc.plan()
    local cases = cases_of(meant())
    if not next(cases) then
      say(_("these photos were not audited yet"), true)
      return
    end
    as_job(_("gtloc: looking for corrections"), function(state)
      gtloc.groups = {}
      local unheld = 0
      for case, folder in pairs(cases) do
        local groups, more = plan_case(case, folder, state)
        if not groups then
          say(more, true)
          return
        end
        unheld = unheld + more
        for _, group in ipairs(groups) do
          gtloc.groups[#gtloc.groups + 1] = group
        end
      end
      show_groups()
      local text = string.format(_("cameras with corrections: %d"), #gtloc.groups)
      if unheld > 0 then
        text = text .. "; " .. string.format(_("zones and GPS times, which darktable does not keep: %d"), unheld)
      end
      say(text)
    end)
  end

  local REASONS = {
    ["not-a-time"] = _("not a time"), ["not-a-position"] = _("not a position"),
    ["not-held"] = _("darktable did not keep it"),
    zero = _("darktable cannot tell a coordinate of exactly 0 from none"),
  }

  local function left(tally, path, why)
    tally.left = tally.left + 1
    tally.why = tally.why or (path .. ": " .. why)
  end

  -- Writes one value into one image. Something else than what the plan was made for is a person's: it stays.
  local function carry_out(image, change, journal, tally)
    local before = library.value(image, change.tag)
    if library.same(change.tag, before, change.new) then
      return
    end
    if not library.same(change.tag, before, change.old) then
      left(tally, change.relative, _("darktable holds another value than the file; it stays"))
      return
    end
    local fields = { change.relative, tostring(image.duplicate_index), change.tag, before, change.new }
    journal:write(lines.written("intends", table.unpack(fields)))
    journal:flush()
    local kept, why = library.write(image, change.tag, change.new)
    if kept then
      journal:write(lines.written("wrote", table.unpack(fields)))
      tally.written = tally.written + 1
    else
      left(tally, change.relative, REASONS[why] or why)
    end
  end

  local function apply_in_case(group, state)
    local result = group.case .. "/darktable-result.lines"
    local arguments = { "correct", group.case, "--plan", group.case .. "/darktable.toml", "--apply", "--lines", result }
    arguments[#arguments + 1] = group.key ~= "" and "--camera=" .. group.key or "--only=" .. group.changes[1].relative
    local code, complaint = program.run(arguments, state)
    if code ~= 0 and code ~= 3 then
      return nil, complaint
    end
    local rows, why = lines.read(result)
    if not rows then
      return nil, why
    end
    local done, refused, transaction = {}, {}, nil
    for _, row in ipairs(rows) do
      if row[1] == "transaction" then
        transaction = row[2]
      elseif row[1] == "done" then
        done[row[2]] = true
      elseif row[1] == "left" then
        refused[row[2]] = row[3]
      elseif row[1] == "case" and not may_write(row[3] == "evidence") then
        return nil, gtloc.message
      end
    end
    return transaction, done, refused
  end

  local function note_state(case, transaction, step)
    local index = io.open(case .. "/darktable.transactions", "ab")
    if index then
      index:write(lines.written(transaction, step))
      index:close()
    end
  end

  local function journal_of(case, transaction)
    return case .. "/darktable-" .. transaction .. ".lines"
  end

  local function is_evidence(case)
    local rows = lines.read(case .. "/darktable.lines")
    return not rows or (rows[1] or {})[3] == "evidence"
  end

  function gtloc.apply()
    local group = gtloc.groups[widgets.cameras and widgets.cameras.selected or 1]
    if not group then
      say(_("look for corrections first"), true)
      return
    end
    if not may_write(is_evidence(group.case)) then
      return
    end
    as_job(_("gtloc: correcting"), function(state, tell)
      local transaction, done, refused = apply_in_case(group, state)
      if not transaction then
        say(done or "", true)
        return
      end
      local path = journal_of(group.case, transaction)
      local journal, why = io.open(path, "ab")
      if not journal then
        say(why, true)
        return
      end
      note_state(group.case, transaction, "applied")
      local by_relative = library.by_relative(library.images_within(group.folder), group.folder)
      local tally = { written = 0, left = 0, absent = 0 }
      for number, change in ipairs(group.changes) do
        if not done[change.relative] then
          left(tally, change.relative, refused[change.relative] or _("no line of the plan is about it any more"))
        end
        for _, image in ipairs(done[change.relative] and by_relative[change.relative] or {}) do
          carry_out(image, change, journal, tally)
        end
        tally.absent = tally.absent + (by_relative[change.relative] and 0 or 1)
        breathe(number)
        tell(number / #group.changes)
      end
      journal:close()
      refresh()
      program.run({ "plugin", "record", group.case, path, "--by", "darktable", "--transaction", transaction }, state)
      local text = string.format(_("values written: %d, left: %d"), tally.written, tally.left)
      if tally.why then
        text = text .. " (" .. tally.why .. ")"
      end
      if tally.absent > 0 then
        text = text .. "; " .. string.format(_("not in the library: %d"), tally.absent)
      end
      say(text .. ". " .. _("darktable's .xmp files state no zone"), true)
    end)
  end

  -- The newest transaction of a case that was not taken back.
  local function newest(case)
    local file = io.open(case .. "/darktable.transactions", "rb")
    local order, state = {}, {}
    for text in (file and file:lines() or function() end) do
      local row = lines.row(text)
      if row[2] == "applied" then
        order[#order + 1] = row[1]
      end
      state[row[1]] = row[2]
    end
    if file then
      file:close()
    end
    for number = #order, 1, -1 do
      if state[order[number]] ~= "undone" then
        return order[number]
      end
    end
    return nil
  end

  local function put_back(row, by_relative, journal, tally)
    local relative, index, tag, before, after = row[2], row[3], row[4], row[5], row[6]
    for _, image in ipairs(by_relative[relative] or {}) do
      if tostring(image.duplicate_index) == index then
        local now = library.value(image, tag)
        if library.same(tag, now, after) then
          if library.write(image, tag, before, true) then
            journal:write(lines.written("restored", relative, index, tag, after, before))
            tally.written = tally.written + 1
          else
            left(tally, relative, REASONS["not-held"])
          end
        elseif not library.same(tag, now, before) then
          left(tally, relative, _("it was changed since; it stays"))
        end
      end
    end
  end

  local function undo_in_case(case, folder, transaction, state, tally)
    local path = journal_of(case, transaction)
    local file = io.open(path, "rb")
    local rows = {}
    for text in (file and file:lines() or function() end) do
      rows[#rows + 1] = lines.row(text)
    end
    if file then
      file:close()
    end
    local code, complaint = program.run({ "correct", case, "--undo", "--transaction", transaction }, state)
    if code ~= 0 then
      tally.why = complaint
    end
    local journal = io.open(path, "ab")
    if not journal then
      return false
    end
    local by_relative = library.by_relative(library.images_within(folder), folder)
    for number = #rows, 1, -1 do
      if rows[number][1] == "intends" then
        put_back(rows[number], by_relative, journal, tally)
      end
      breathe(number)
    end
    journal:close()
    refresh()
    if tally.left == 0 then
      note_state(case, transaction, "undone")
    end
    local record = { "plugin", "record", case, path, "--by", "darktable", "--transaction", transaction, "--undone" }
    program.run(record, state)
    return true
  end

  function gtloc.undo()
    local cases = cases_of(meant())
    as_job(_("gtloc: undoing"), function(state)
      local tally, any = { written = 0, left = 0 }, false
      for case, folder in pairs(cases) do
        local transaction = newest(case)
        if transaction then
          any = undo_in_case(case, folder, transaction, state, tally) or any
        end
      end
      if not any then
        say(_("there is nothing to undo"), true)
        return
      end
      local text = string.format(_("values put back: %d, left: %d"), tally.written, tally.left)
      say(text .. (tally.why and " (" .. tally.why .. ")" or ""), true)
    end)
  end

  -- Gives images the time and the position that their files hold, as the last audit read them.
  local function reset_images(rows, images, folder, tally)
    local by_relative = library.by_relative(images, folder)
    for number, row in ipairs(rows) do
      for _, image in ipairs(row[1] == "photo" and by_relative[row[2]] or {}) do
        local position = row[6] ~= "" and row[6] .. ", " .. row[7] or ""
        for tag, held in pairs({ [lines.TIME] = row[5], [lines.POSITION] = position }) do
          local may_be_none = tag == lines.POSITION
          if (held ~= "" or may_be_none) and not library.same(tag, library.value(image, tag), held) then
            local kept, why = library.write(image, tag, held)
            tally.written = tally.written + (kept and 1 or 0)
            if not kept then
              left(tally, row[2], REASONS[why] or why)
            end
          end
        end
      end
      breathe(number)
    end
  end

  function gtloc.reset()
    local images = listed(dt.gui.selection())
    local cases = cases_of(images)
    if not next(cases) then
      say(_("select photos that were audited: the audit read what their files hold"), true)
      return
    end
    as_job(_("gtloc: back to what the files hold"), function()
      local tally = { written = 0, left = 0 }
      for case, folder in pairs(cases) do
        local rows, why = lines.read(case .. "/darktable.lines")
        if not rows then
          say(why, true)
          return
        end
        if not may_write((rows[1] or {})[3] == "evidence") then
          return
        end
        reset_images(rows, images, folder, tally)
        refresh()
      end
      local text = string.format(_("values set to what the files hold: %d, left: %d"), tally.written, tally.left)
      say(text .. (tally.why and " (" .. tally.why .. ")" or ""), true)
    end)
  end

  return { show_group = show_group }
end
