-- What needs no darktable, tried by busted: run busted --lua=lua5.4 tests/darktable/lines_spec.lua.
-- SPDX-License-Identifier: Apache-2.0

local here = debug.getinfo(1, "S").source:sub(2):match("^(.*/)") or "./"
local lines = dofile(here .. "../../plugins/darktable/gtloc/lib/lines.lua")

local function file_with(text)
  local path = os.tmpname()
  local file = io.open(path, "wb")
  file:write(text)
  file:close()
  return path
end

describe("fields", function()
  it("come back as they were, whatever is in a name", function()
    for _, name in ipairs({ "a.jpg", "tab\there", "line\nend", "100%25;x", "\127\1", "ü.jpg", "\255\254" }) do
      assert.are.equal(name, lines.decoded(lines.encoded(name)))
      assert.is_nil(lines.encoded(name):find("[\t\n;]"))
    end
  end)

  it("cannot make a row of their own", function()
    local row = lines.row((lines.written("photo", "a\nphoto\tb", "x"):gsub("\n$", "")))
    assert.are.same({ "photo", "a\nphoto\tb", "x" }, { row[1], row[2], row[3] })
    assert.is_nil(row[4])
  end)

  it("hold lists whose words may hold separators", function()
    assert.are.same({ "gtloc|a;b", "c" }, lines.listed("gtloc|a%3Bb;c"))
    assert.are.same({}, lines.listed(""))
  end)
end)

describe("a file of lines", function()
  it("is read whole", function()
    local path = file_with("gtloc-lines/1\ncase\t/x\tevidence\nphoto\ta%09b\t\t\nend\n")
    local rows = lines.read(path)
    assert.are.equal(2, #rows)
    assert.are.equal("evidence", rows[1][3])
    assert.are.equal("a\tb", rows[2][2])
    os.remove(path)
  end)

  it("is refused without its end, and in another form", function()
    for _, text in ipairs({ "gtloc-lines/1\nphoto\ta\n", "gtloc-lines/2\nend\n", "", "end\n" }) do
      local path = file_with(text)
      local rows, why = lines.read(path)
      assert.is_nil(rows)
      assert.is_string(why)
      os.remove(path)
    end
    assert.is_nil((lines.read("/no/such/file")))
  end)
end)

describe("a command", function()
  local HOSTILE = { "it's", "$(touch x)", "a;b", "`c`", "a b", "*", "\\", "ü", "--x=\"y\"", "a\nb" }

  it("reaches the program word for word on POSIX", function()
    local path = os.tmpname()
    local words = { "printf", "%s\\0" }
    for _, word in ipairs(HOSTILE) do
      words[#words + 1] = word
    end
    os.execute(lines.command(words, path, "/dev/null", "linux"))
    local file = io.open(path, "rb")
    assert.are.equal(table.concat(HOSTILE, "\0") .. "\0", file:read("a"))
    file:close()
    os.remove(path)
  end)

  it("that is left alone is not waited for", function()
    local began = os.time()
    os.execute(lines.command_left_alone({ "sleep", "3" }, "/dev/null", "/dev/null", "linux"))
    assert.is_true(os.time() - began < 3)
    assert.are.equal('start "" /b cmd /c ""a" > "o" 2> "e""', lines.command_left_alone({ "a" }, "o", "e", "windows"))
  end)

  it("is quoted for Windows as its programs take arguments apart", function()
    assert.are.equal('"a b"', lines.quoted("a b", "windows"))
    assert.are.equal('"a\\"b"', lines.quoted('a"b', "windows"))
    assert.are.equal('"C:\\x\\\\"', lines.quoted("C:\\x\\", "windows"))
    assert.are.equal('""', lines.quoted("", "windows"))
    assert.are.equal('"', lines.command({ "a" }, "o", "e", "windows"):sub(1, 1))
    assert.is_nil(lines.quoted("%PATH%", "windows"):find("%PATH%", 1, true))
  end)

  it("ends with a code that either form of status tells", function()
    assert.are.equal(0, lines.exit_code(0))
    assert.are.equal(1, lines.exit_code(256))
    assert.are.equal(3, lines.exit_code(768))
    assert.are.equal(2, lines.exit_code(2))
    assert.are.equal(2, lines.exit_code(nil))
  end)
end)

describe("progress", function()
  it("grows through the stages and ignores a torn line", function()
    local last = -1
    for _, text in ipairs({ "open\t0\t\n", "known\t0\t30\n", "examine\t3\t30\n", "examine\t30\t30\n",
      "verify\t30\t30\n",
      "check\t1\t30\n", "check\t30\t30\n", "report\t0\t\n", "read\t30\t30\n", "pages\t9\t\n" }) do
      local percent = lines.percent(text .. "torn\t1")
      assert.is_true(percent >= last and percent <= 1)
      last = percent
    end
    assert.is_nil((lines.percent("")))
    assert.is_nil((lines.percent("strange\t1\t2\n")))
  end)
end)

describe("folders", function()
  it("hold what lies below them, not what begins alike", function()
    assert.is_true(lines.is_within("/a/b", "/a"))
    assert.is_true(lines.is_within("/a", "/a/"))
    assert.is_true(lines.is_within("/a", "/"))
    assert.is_false(lines.is_within("/ab", "/a"))
    assert.is_false(lines.is_within("/a\\b/c", "/a/b"))
    assert.is_true(lines.is_within("C:\\photos\\x", "C:/photos"))
  end)

  it("name photos by the path below them", function()
    assert.are.equal("b/c.jpg", lines.relative("/a/b/c.jpg", "/a"))
    assert.are.equal("c.jpg", lines.relative("/c.jpg", "/"))
    assert.are.equal("x/y.jpg", lines.relative("C:\\p\\x\\y.jpg", "C:\\p"))
    assert.is_nil(lines.relative("/ab/c.jpg", "/a"))
    assert.is_nil(lines.relative("/a", "/a"))
  end)

  it("are audited once, from outside in", function()
    assert.are.same({ "/a", "/ab", "/c/d" }, lines.outermost({ "/c/d", "/a/b", "/ab", "/a", "/a/b/c" }))
  end)

  it("have cases of their own, also when they have one name", function()
    assert.are_not.equal(lines.case_name("/a/photos"), lines.case_name("/b/photos"))
    assert.is_truthy(lines.case_name("/x/it's; $(y)"):match("^[%w%-_.]+$"))
    assert.are.equal("af63dc4c8601ec8c", lines.digest("a")) -- the published test vector
  end)
end)

describe("times", function()
  it("reach darktable only in the form that it can read", function()
    assert.are.equal("2024:06:15 12:00:00", lines.time("2024-06-15 12:00:00.25"))
    assert.are.equal("2024:02:29 23:59:59", lines.time("2024:02:29 23:59:59"))
    for _, text in ipairs({ "", "2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-00-01 00:00:00",
      "2024-06-31 00:00:00",
      "2024-06-15 24:00:00", "2024-06-15 12:60:00", "2024-06-15", "2024-06-15 12:00:00Z", "0000-01-01 00:00:00" }) do
      assert.is_nil(lines.time(text), text)
    end
    assert.is_nil(lines.time(nil))
  end)

  it("are the same to the second", function()
    assert.is_true(lines.same_time("2024:06:15 12:00:00.123", "2024-06-15 12:00:00"))
    assert.is_false(lines.same_time("", ""))
  end)
end)

describe("positions", function()
  it("are places on the earth", function()
    assert.are.same({ -33.8688, 151.2093 }, { lines.position("-33.8688000, 151.2093000") })
    for _, text in ipairs({ "", "91, 0", "0, 181", "1", "a, b", "1, 2, 3" }) do
      assert.is_nil((lines.position(text)), text)
    end
  end)

  it("are the same within what darktable's sidecars keep", function()
    assert.is_true(lines.same_position("1.0000001, 2.0", "1.0, 2.0000001"))
    assert.is_false(lines.same_position("1.0001, 2.0", "1.0, 2.0"))
    assert.is_true(lines.same_position("", ""))
    assert.is_false(lines.same_position("", "1, 2"))
    assert.are.equal("0.0000000, 10.0000000", lines.position_text(nil, 10))
  end)
end)

describe("notes", function()
  it("keep what a person wrote, and hold ours once", function()
    local once = lines.with_note("my own [note] 100%", "first.")
    local twice = lines.with_note(once, "second.")
    assert.are.equal("my own [note] 100%\n[gtloc] second. [/gtloc]", twice)
    assert.are.equal("my own [note] 100%", lines.with_note(twice, ""))
    assert.are.equal("", lines.with_note(lines.with_note(nil, "x"), ""))
  end)
end)

describe("what was found", function()
  it("is shown by its gravest outcome", function()
    assert.are.same({ "contradiction", "zone" },
      { lines.gravest({ "gtloc|not examined", "gtloc|suspicious|x", "gtloc|contradiction|zone" }) })
    assert.is_nil((lines.gravest({ "holiday", "gtloc|strange" })))
    assert.is_true(lines.is_found({ "gtloc|suspicious|x" }))
    assert.is_false(lines.is_found({ "gtloc|clean" }))
  end)

  it("is corrected per camera; what darktable cannot hold is counted", function()
    local function change(path, tag, key)
      return lines.row(table.concat({ "change", path, tag, "old", "new", "1.0", key, "Acme", "why" }, "\t"))
    end
    local groups, elsewhere, notes = lines.by_camera({
      change("a", lines.TIME, "k1"), change("a", lines.POSITION, "k1"), change("b", lines.TIME, "k2"),
      change("c", "OffsetTimeOriginal", "k1"), change("d", lines.TIME, ""), lines.row("note\tsaid"),
    })
    assert.are.equal(3, #groups)
    assert.are.same({ 2, 1 }, { #groups[1].changes, groups[1].photos })
    assert.are.equal("d", groups[3].label)
    assert.are.equal(1, elsewhere)
    assert.are.same({ "said" }, notes)
  end)
end)
