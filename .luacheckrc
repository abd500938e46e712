std = "lua54"
max_line_length = 120
files["tests/darktable/lines_spec.lua"] = { std = "lua54+busted" }
