--[[
  Runs gtloc without holding darktable up: its output goes to files, its progress is followed from a second coroutine.
  SPDX-License-Identifier: Apache-2.0
]]

return function(dt, lines, here, _)
  local program = {}
  local running_os = dt.configuration.running_os
  local count = 0

  local function read_all(path)
    local file = io.open(path, "rb")
    if not file then
      return ""
    end
    local text = file:read("a")
    file:close()
    return text
  end

  -- The words that start gtloc: what a person chose, else what installed this module, else what PATH finds.
  function program.words()
    local chosen = dt.preferences.read("gtloc", "program", "file")
    if chosen and chosen ~= "" then
      return { chosen }
    end
    local words = {}
    for word in read_all(here .. "program.path"):gmatch("[^\n]+") do
      words[#words + 1] = word
    end
    return #words > 0 and words or { "gtloc" }
  end

  local function temporary(name)
    count = count + 1
    local folder = dt.configuration.tmp_dir
    return string.format("%s/gtloc-%s-%d-%d-%s", folder, lines.digest(tostring({})), os.time(), count, name)
  end

  local function last_line(said)
    return said:match("([^\r\n]+)[\r\n]*$") or _("gtloc could not be started; name it in the preferences of lua")
  end

  local function follow(progress, state, tell)
    while state.running do
      dt.control.sleep(250)
      local percent, stage, done, total = lines.percent(read_all(progress))
      if state.running and percent then
        tell(percent, stage, done, total)
      end
      if state.running and (dt.control.ending or state.cancelled) then
        local stop = io.open(progress .. ".stop", "wb")
        if stop then
          stop:close()
        end
      end
    end
  end

  -- Runs gtloc with arguments; returns its exit code and the last line of what it complained about.
  -- To be called from a coroutine of darktable's (dt.control.dispatch). state.cancelled asks the run to stop.
  function program.run(arguments, state, tell)
    local words = program.words()
    for _, argument in ipairs(arguments) do
      words[#words + 1] = argument
    end
    local output, errors, progress = temporary("out"), temporary("err"), nil
    if tell then
      progress = temporary("progress")
      words[#words + 1] = "--progress"
      words[#words + 1] = progress
      state.running = true
      dt.control.dispatch(follow, progress, state, tell)
    end
    local status = dt.control.execute(lines.command(words, output, errors, running_os))
    state.running = false
    local said = read_all(errors)
    for _, path in ipairs({ output, errors, progress, progress and progress .. ".stop" }) do
      os.remove(path)
    end
    return lines.exit_code(status), last_line(said)
  end

  local MOST_S = 120

  -- Starts gtloc and leaves it running; darktable does not wait for it. Returns whether a first line said that it is
  -- up, and the last line of what it complained about.
  function program.start(arguments)
    local words = program.words()
    for _, argument in ipairs(arguments) do
      words[#words + 1] = argument
    end
    local output, errors = temporary("out"), temporary("err")
    local status = dt.control.execute(lines.command_left_alone(words, output, errors, running_os))
    local ends = os.time() + MOST_S
    local is_up, said = false, ""
    while lines.exit_code(status) == 0 and not is_up and os.time() < ends and not dt.control.ending do
      dt.control.sleep(250)
      is_up, said = read_all(output):find("\n", 1, true) ~= nil, read_all(errors)
      if said:find("\n", 1, true) then
        break
      end
    end
    os.remove(output)
    os.remove(errors)
    return is_up, last_line(said)
  end

  return program
end
