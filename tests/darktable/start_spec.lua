-- What the module does while darktable starts: nothing that has to do with a widget. Against a darktable of straw.
-- SPDX-License-Identifier: Apache-2.0

local here = debug.getinfo(1, "S").source:sub(2):match("^(.*/)") or ""
local MODULE = here .. "../../plugins/darktable/gtloc/gtloc.lua"

-- A darktable that counts what needs its main loop; computing_s tells how much each look at the clock finds used.
local function straw(computing_s)
  local made, dispatched, slept_ms, clock_s = {}, {}, 0, 1.0
  local function needs_main_loop(name)
    return function()
      made[#made + 1] = name
      return setmetatable({}, { __call = function(widget) return widget end })
    end
  end
  local preferences = { register = needs_main_loop("preference"), read = function() return nil end }
  local dt = {
    configuration = { config_dir = "/c", tmp_dir = "/t", running_os = "linux", api_version_minor = 0 },
    gettext = { bindtextdomain = function() end, dgettext = function(_, text) return text end },
    preferences = preferences, new_widget = needs_main_loop("widget"), register_lib = needs_main_loop("panel"),
    register_event = function() end, print_log = function() end,
    gui = {
      current_view = function() return { id = "lighttable" } end, views = { lighttable = "lighttable" },
      libs = { image = { register_action = needs_main_loop("action") },
        select = { register_selection = needs_main_loop("selection") },
        metadata_view = { register_info = needs_main_loop("info") }, gtloc = {} },
    },
    control = { ending = false, dispatch = function(work) dispatched[#dispatched + 1] = work end },
  }
  dt.control.sleep = function(milliseconds)
    slept_ms = slept_ms + milliseconds
    clock_s = clock_s + computing_s(slept_ms)
  end
  package.loaded.darktable = dt
  local clock = os.clock
  os.clock = function() return clock_s end -- luacheck: ignore 122
  local script = assert(loadfile(MODULE))()
  local function run()
    for _, work in ipairs(dispatched) do
      work()
    end
    os.clock = clock -- luacheck: ignore 122
  end
  return { made = made, dt = dt, script = script, run = run, slept = function() return slept_ms end }
end

describe("while darktable starts", function()
  it("nothing is made when luarc is read", function()
    local darktable = straw(function() return 0 end)
    assert.are.same({}, darktable.made)
    darktable.run()
    assert.are.equal("preference", darktable.made[1])
    assert.are.equal("panel", darktable.made[#darktable.made])
    assert.is_true(darktable.script.gtloc.installed)
  end)

  it("all is made when it hardly computes any more", function()
    local darktable = straw(function(slept_ms) return slept_ms < 3000 and 0.2 or 0.001 end)
    darktable.run()
    assert.are.equal(4750, darktable.slept()) -- two seconds of quiet, a quarter at a time
    assert.is_true(darktable.script.gtloc.installed)
  end)

  it("all is made after a while where it computes on and on", function()
    local darktable = straw(function() return 0.25 end)
    darktable.run()
    assert.is_true(darktable.slept() >= 20000 and darktable.slept() < 21000)
    assert.is_true(darktable.script.gtloc.installed)
  end)

  it("all is made at once where darktable says that it may", function()
    _G.darktable_gui_safe = true
    local darktable = straw(function() return 0.25 end)
    darktable.run()
    _G.darktable_gui_safe = nil
    assert.are.equal(0, darktable.slept())
    assert.is_true(darktable.script.gtloc.installed)
  end)

  it("nothing is made where it ends before", function()
    local darktable = straw(function() return 0.25 end)
    darktable.dt.control.ending = true
    darktable.run()
    assert.are.same({}, darktable.made)
  end)

  it("what was hidden meanwhile stays hidden", function()
    local darktable = straw(function() return 0 end)
    darktable.script.destroy()
    darktable.run()
    assert.is_false(darktable.dt.gui.libs.gtloc.visible)
  end)
end)
