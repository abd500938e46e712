--[[
  What needs no darktable: the lines that gtloc writes for us, commands for a shell, times, positions, notes.
  SPDX-License-Identifier: Apache-2.0
]]

local lines = {}

lines.FORM = "gtloc-lines/1"
lines.END = "end"
lines.TIME, lines.POSITION = "DateTimeOriginal", "GPSPosition"
lines.NOTE_BEGIN, lines.NOTE_END = "[gtloc] ", " [/gtloc]"

-- ------------------------------------------------------------------ fields and files

function lines.decoded(field)
  return (field:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

function lines.encoded(field)
  return (tostring(field):gsub("[%c%%;]", function(character)
    return string.format("%%%02X", character:byte())
  end))
end

local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch("(.-)" .. separator) do
    parts[#parts + 1] = part
  end
  return parts
end

function lines.listed(raw)
  local words = {}
  for _, word in ipairs(split(raw, ";")) do
    if word ~= "" then
      words[#words + 1] = lines.decoded(word)
    end
  end
  return words
end

-- A row's fields are decoded; row.raw has them as they stand in the file.
function lines.row(text)
  local raw = split(text, "\t")
  local row = { raw = raw }
  for number, field in ipairs(raw) do
    row[number] = lines.decoded(field)
  end
  return row
end

function lines.written(...)
  local fields = {}
  for number, field in ipairs({ ... }) do
    fields[number] = lines.encoded(field)
  end
  return table.concat(fields, "\t") .. "\n"
end

-- The rows of a file, or nil and why: another form, or a file that is not whole.
function lines.read(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local rows, whole, form = {}, false, nil
  for text in file:lines() do
    if not form then
      form = text
    elseif text == lines.END then
      whole = true
    else
      rows[#rows + 1] = lines.row(text)
    end
  end
  file:close()
  if form ~= lines.FORM then
    return nil, "another version of gtloc wrote " .. path .. "; run gtloc plugin install darktable"
  end
  if not whole then
    return nil, path .. " is not whole"
  end
  return rows
end

-- ------------------------------------------------------------------ commands

local function quoted_for_windows(word)
  local inner = word:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1")
  return '"' .. inner:gsub("%%", '"^%%"') .. '"'
end

-- A word for the shell in which nothing of it is more than a letter.
function lines.quoted(word, running_os)
  if running_os == "windows" then
    return quoted_for_windows(word)
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- The command line of a program whose output and errors go to two files.
function lines.command(words, output, errors, running_os)
  local parts = {}
  for number, word in ipairs(words) do
    parts[number] = lines.quoted(word, running_os)
  end
  local whole = table.concat(parts, " ")
    .. " > " .. lines.quoted(output, running_os)
    .. " 2> " .. lines.quoted(errors, running_os)
  if running_os == "windows" then
    return '"' .. whole .. '"' -- cmd strips the outer pair
  end
  return whole
end

-- The same, started and left to itself.
function lines.command_left_alone(words, output, errors, running_os)
  local whole = lines.command(words, output, errors, running_os)
  return running_os == "windows" and 'start "" /b cmd /c ' .. whole or whole .. " &"
end

-- The exit code: darktable 4.2 hands on what wait() gives, 256 times the code, later ones the code itself.
function lines.exit_code(status)
  if type(status) ~= "number" then
    return status and 0 or 2
  end
  return status > 255 and status // 256 or status
end

-- Percent of a whole audit, from the last whole line of a progress file; nil where it tells none.
function lines.percent(text)
  local shares = { open = { 0.0, 0.02 }, known = { 0.02, 0.02 }, examine = { 0.02, 0.8 }, verify = { 0.8, 0.86 },
    check = { 0.86, 0.93 }, report = { 0.93, 0.93 }, read = { 0.93, 0.96 }, pages = { 0.96, 0.99 } }
  local stage, done, total
  for line in text:gmatch("([^\n]*)\n") do
    stage, done, total = line:match("^(%a+)\t(%d+)\t(%d*)$")
  end
  local share = stage and shares[stage]
  if not share then
    return nil
  end
  local part = (tonumber(total) or 0) > 0 and math.min(1, tonumber(done) / tonumber(total)) or 0
  return share[1] + (share[2] - share[1]) * part, stage, tonumber(done), tonumber(total)
end

-- ------------------------------------------------------------------ folders and cases

-- A path with "/" between its parts; "\\" is a letter of a name where paths do not begin with a drive or a share.
local function slashed(path)
  if path:match("^%a:[/\\]") or path:match("^\\\\") then
    path = path:gsub("\\", "/")
  end
  return (path:gsub("(.)/+$", "%1"))
end

function lines.is_within(path, folder)
  local inner, outer = slashed(path), slashed(folder)
  local prefix = outer:gsub("/$", "") .. "/"
  return inner == outer or inner:sub(1, #prefix) == prefix
end

function lines.relative(path, folder)
  local inner = slashed(path)
  local outer = slashed(folder):gsub("/$", "")
  if inner == outer or not lines.is_within(path, folder) then
    return nil
  end
  return inner:sub(#outer + 2)
end

-- The folders that lie in no other one of them, sorted.
function lines.outermost(folders)
  local sorted, kept = {}, {}
  for _, folder in ipairs(folders) do
    sorted[#sorted + 1] = folder
  end
  table.sort(sorted)
  for _, folder in ipairs(sorted) do
    local inside = false
    for _, other in ipairs(kept) do
      inside = inside or lines.is_within(folder, other)
    end
    if not inside then
      kept[#kept + 1] = folder
    end
  end
  return kept
end

-- FNV-1a, 64 bits (G. Fowler, L. C. Noll, K.-P. Vo): tells folders of one name apart.
function lines.digest(text)
  local hash = 0xcbf29ce484222325
  for index = 1, #text do
    hash = (hash ~ text:byte(index)) * 0x100000001b3
  end
  return string.format("%016x", hash)
end

function lines.case_name(folder)
  local name = slashed(folder):match("([^/]+)$") or "photos"
  return name:gsub("[^%w%-_.]", "_"):sub(1, 60) .. "-" .. lines.digest(folder)
end

-- ------------------------------------------------------------------ times and positions

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- A time as darktable's Lua takes it, "2024:06:15 12:00:00", from ours; nil for what is none. It clears what it
-- cannot read, without a word, so nothing else may reach it.
function lines.time(text)
  local year, month, day, hour, minute, second =
    (text or ""):match("^(%d%d%d%d)[-:](%d%d)[-:](%d%d)[ T](%d%d):(%d%d):(%d%d)")
  local rest = (text or ""):sub(20)
  if not year or not (rest == "" or rest:match("^%.%d+$")) then
    return nil
  end
  local y, m, d = tonumber(year), tonumber(month), tonumber(day)
  local longest = m >= 1 and m <= 12 and (DAYS[m] + ((m == 2 and is_leap(y)) and 1 or 0)) or 0
  if y < 1 or d < 1 or d > longest or tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 59 then
    return nil
  end
  return string.format("%s:%s:%s %s:%s:%s", year, month, day, hour, minute, second)
end

function lines.same_time(first, second)
  local one, other = lines.time(first), lines.time(second)
  return one ~= nil and one == other
end

-- Latitude and longitude of "-33.8688000, 151.2093000"; nil for what is no place.
function lines.position(text)
  local north, east = (text or ""):match("^(-?%d+%.?%d*), ?(-?%d+%.?%d*)$")
  north, east = tonumber(north), tonumber(east)
  if not north or not east or math.abs(north) > 90 or math.abs(east) > 180 then
    return nil
  end
  return north, east
end

-- As text, for journals; "" for none.
function lines.position_text(north, east)
  if not north and not east then
    return ""
  end
  return string.format("%.7f, %.7f", north or 0, east or 0)
end

local NEAR_DEG = 2e-6 -- darktable keeps minutes with few digits in its sidecars

function lines.same_position(first, second)
  if first == "" or second == "" then
    return first == second
  end
  local north, east = lines.position(first)
  local other_north, other_east = lines.position(second)
  return north ~= nil and other_north ~= nil
    and math.abs(north - other_north) < NEAR_DEG and math.abs(east - other_east) < NEAR_DEG
end

-- ------------------------------------------------------------------ notes

local function literal(text)
  return (text:gsub("%p", "%%%0"))
end

function lines.without_note(note)
  local mark = "\n?" .. literal(lines.NOTE_BEGIN) .. ".-" .. literal(lines.NOTE_END)
  return ((note or ""):gsub(mark, ""))
end

-- A person's own note stays; ours stands behind it, once.
function lines.with_note(note, sentence)
  local own = lines.without_note(note)
  if sentence == "" then
    return own
  end
  return own .. (own == "" and "" or "\n") .. lines.NOTE_BEGIN .. sentence .. lines.NOTE_END
end

-- ------------------------------------------------------------------ what was found

local RANKS = { contradiction = 5, suspicious = 4, ["not examined"] = 3, ["not testable"] = 2, clean = 1 }

-- The outcome to show for keywords "gtloc|OUTCOME|CAUSE", gravest first, and its cause; nil for none of ours.
function lines.gravest(words)
  local best, cause, rank
  for _, word in ipairs(words) do
    local outcome, why = word:match("^gtloc|([^|]+)|?(.*)$")
    local weight = RANKS[outcome or ""]
    if weight and (not rank or weight > rank) then
      best, cause, rank = outcome, why, weight
    end
  end
  return best, cause
end

function lines.is_found(words)
  local outcome = lines.gravest(words)
  return outcome == "contradiction" or outcome == "suspicious"
end

-- Changes of a plan that darktable can hold, per camera, in the order in which cameras come; and how many it cannot.
function lines.by_camera(rows)
  local groups, known, elsewhere, notes = {}, {}, 0, {}
  for _, row in ipairs(rows) do
    if row[1] == "note" then
      notes[#notes + 1] = row[2]
    elseif row[1] == "change" then
      local change = { relative = row[2], tag = row[3], old = row[4], new = row[5], reason = row[9] }
      local key = row[7] ~= "" and row[7] or row[2]
      if change.tag == lines.TIME or change.tag == lines.POSITION then
        local group = known[key]
        if not group then
          group = { key = row[7], label = row[7] ~= "" and row[8] or row[2], changes = {}, paths = {}, photos = 0 }
          known[key] = group
          groups[#groups + 1] = group
        end
        group.changes[#group.changes + 1] = change
        if not group.paths[change.relative] then
          group.paths[change.relative] = true
          group.photos = group.photos + 1
        end
      else
        elsewhere = elsewhere + 1
      end
    end
  end
  return groups, elsewhere, notes
end

return lines
