# The two commands of the README: `make audit CASE=folder` and `make test`. The rest is for developers.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CASE ?= examples/case_folder
# More options for the audit: make audit CASE=… AUDIT="--case-number 7 --examiner 'A. Name'"
AUDIT ?=
PYTEST ?=
FUZZ ?= --files 20000
JOBS ?= 2
PHOTOS ?= ../shared/photos
# What somebody saw on some of those pictures, id,flags: it stays outside the repository, as the pictures do.
LABELS ?=

.PHONY: audit test fuzz setup exiftool lint types bench bench-checks model words clean

# Found findings are a finished job: only a failure (exit code 2) fails the target.
audit: setup
	@$(BIN)/gtloc-audit "$(CASE)" $(AUDIT); code=$$?; [ $$code -ne 2 ]

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(PYTEST)

# Twenty thousand hostile files from seeds, a twentieth of them with the model and a report; a fault names its seeds.
# Others: make fuzz FUZZ="--seed 100000 --files 2000"
fuzz: setup
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ)

setup: $(VENV)/.installed exiftool

$(VENV)/.installed: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,lint,heic,sign,review]'
	@touch $@

exiftool:
	@if [ -z "$$GTLOC_EXIFTOOL" ] && ! command -v exiftool >/dev/null 2>&1; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "installing exiftool (Debian package libimage-exiftool-perl)"; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends libimage-exiftool-perl >/dev/null; \
	  else \
	    echo "exiftool is missing. Install it, then run make again:"; \
	    echo "  Debian, Ubuntu:  sudo apt-get install libimage-exiftool-perl"; \
	    echo "  macOS:           brew install exiftool"; \
	    echo "  Windows:         winget install OliverBetz.ExifTool"; \
	    echo "or name the program in GTLOC_EXIFTOOL."; \
	    exit 1; \
	  fi; \
	fi

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# Remakes the model that ships, from the photo set: features, heads, calibration, card (docs/decisions/0009-backbone.md).
model: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[model]'
	OMP_NUM_THREADS=1 $(BIN)/python experiments/make_small_model.py --photos $(PHOTOS) --out models/gtloc-small
	@if [ -n "$(LABELS)" ]; then $(MAKE) words; \
	else echo "searching by words is refused with these weights until: make words LABELS=labels.csv (docs/search.md)"; fi

# The words that a case can be searched by, for the model as it is, from labels made by eye; prints the table of docs/search.md.
words: setup
	$(if $(LABELS),,$(error name the labels: make words LABELS=labels.csv; docs/search.md says how they are made))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[model]'
	OMP_NUM_THREADS=1 $(BIN)/python experiments/concept_heads.py --photos $(PHOTOS) --labels $(LABELS)

# Rates of alarms and of found faults, into docs/check-rates.md and the table that reports print.
bench-checks: setup
	$(BIN)/python benchmarks/bench_checks.py --photos $(PHOTOS) --draws 5 --write docs/check-rates.md
	$(BIN)/python benchmarks/count_alarms.py --photos $(PHOTOS)/exif --model none --out gtloc_forensics/checks/alarms.json

bench: setup
	$(BIN)/python benchmarks/bench_memory.py
	$(BIN)/python benchmarks/bench_metadata.py
	$(BIN)/python benchmarks/bench_audit.py
	$(BIN)/python benchmarks/bench_watch.py
	$(BIN)/python benchmarks/bench_report.py

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
