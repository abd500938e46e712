--[[
  What is written into darktable's library: keywords, notes, colours, times, positions. Every value is read back.
  SPDX-License-Identifier: Apache-2.0
]]

return function(dt, lines)
  local library = {}
  local OURS = "gtloc|"

  -- ---------------------------------------------------------------- images

  function library.path_of(image)
    return image.path .. (dt.configuration.running_os == "windows" and "\\" or "/") .. image.filename
  end

  -- Images by their path below a folder; duplicates of a photo stand in one list.
  function library.by_relative(images, folder)
    local found = {}
    for _, image in ipairs(images) do
      local relative = lines.relative(library.path_of(image), folder)
      if relative then
        found[relative] = found[relative] or {}
        table.insert(found[relative], image)
      end
    end
    return found
  end

  -- Every image of the library in a folder or below it.
  function library.images_within(folder)
    local images = {}
    for _, film in ipairs(dt.films) do
      if lines.is_within(film.path, folder) then
        for number = 1, #film do
          images[#images + 1] = film[number]
        end
      end
    end
    return images
  end

  function library.folders_of(images)
    local folders, known = {}, {}
    for _, image in ipairs(images) do
      if not known[image.path] then
        known[image.path] = true
        folders[#folders + 1] = image.path
      end
    end
    return folders
  end

  -- ---------------------------------------------------------------- keywords, notes, colours

  function library.words_of(image)
    local words = {}
    for _, tag in ipairs(dt.tags.get_tags(image)) do
      if tag.name:sub(1, #OURS) == OURS then
        words[#words + 1] = tag.name
      end
    end
    return words
  end

  local function set_words(image, wanted)
    local asked = {}
    for _, word in ipairs(wanted) do
      asked[word] = true
    end
    for _, tag in ipairs(dt.tags.get_tags(image)) do
      if tag.name:sub(1, #OURS) == OURS then
        if asked[tag.name] then
          asked[tag.name] = nil
        else
          dt.tags.detach(tag, image)
        end
      end
    end
    for _, word in ipairs(wanted) do
      if asked[word] then
        dt.tags.attach(dt.tags.create(word), image)
      end
    end
  end

  local COLOURS = { contradiction = "red", suspicious = "yellow" }

  local function set_colour(image, before, after)
    local old, new = COLOURS[before or ""], COLOURS[after or ""]
    if old and old ~= new then
      image[old] = false
    end
    if new then
      image[new] = true
    end
  end

  -- Marks an image with what was found; returns false and why when darktable holds something else afterwards.
  function library.mark(image, words, sentence, with_colour)
    local before = lines.gravest(library.words_of(image))
    set_words(image, words)
    local note = lines.with_note(image.notes, sentence)
    if note ~= (image.notes or "") then
      image.notes = note
    end
    if with_colour then
      set_colour(image, before, (lines.gravest(words)))
    end
    local held = {}
    for _, word in ipairs(library.words_of(image)) do
      held[word] = true
    end
    for _, word in ipairs(words) do
      if not held[word] then
        return false, word
      end
    end
    if (image.notes or "") ~= note then
      return false, "notes"
    end
    return true
  end

  -- ---------------------------------------------------------------- times and positions

  function library.time_of(image)
    return image.exif_datetime_taken or ""
  end

  function library.position_of(image)
    return lines.position_text(image.latitude, image.longitude)
  end

  local function write_time(image, text)
    local time = lines.time(text)
    if not time then
      return false, "not-a-time" -- darktable would clear what it has
    end
    local before = image.exif_datetime_taken
    image.exif_datetime_taken = time
    if lines.same_time(image.exif_datetime_taken, time) then
      return true
    end
    if lines.time(before) then
      image.exif_datetime_taken = before
    end
    return false, "not-held"
  end

  local function put_position(image, text)
    if text == "" then
      image.latitude, image.longitude = nil, nil
      return
    end
    image.latitude, image.longitude = lines.position(text)
  end

  local function write_position(image, text, restoring)
    local north, east = lines.position(text)
    if text ~= "" and not north then
      return false, "not-a-position"
    end
    if north == 0 or east == 0 then
      if not restoring then
        return false, "zero" -- reads back as nothing: it could not be told from a lost one
      end
      put_position(image, text)
      return true
    end
    local before = library.position_of(image)
    put_position(image, text)
    if lines.same_position(library.position_of(image), text) then
      return true
    end
    put_position(image, before)
    return false, "not-held"
  end

  -- What darktable holds of a quantity, as text.
  function library.value(image, tag)
    if tag == lines.TIME then
      return library.time_of(image)
    end
    return library.position_of(image)
  end

  function library.same(tag, first, second)
    if tag == lines.TIME then
      return lines.same_time(first, second) or (first == "" and second == "")
    end
    return lines.same_position(first, second)
  end

  -- Writes a value, reads it back and compares; whatever fails leaves what was there.
  function library.write(image, tag, text, restoring)
    if tag == lines.TIME then
      return write_time(image, text)
    end
    return write_position(image, text, restoring)
  end

  -- Whether darktable writes what it knows into files beside the photos.
  function library.writes_sidecars()
    local known, value = pcall(dt.preferences.read, "darktable", "write_sidecar_files", "string")
    return not (known and (value == "never" or value == "FALSE"))
  end

  return library
end
