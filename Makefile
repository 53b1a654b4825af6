# SSM benchmark and ablation suite. Plain `make` lists the targets; each one sets up what it needs.
#
# Values given on the command line (VARIANT, SEEDS, ...) reach the recipes as environment variables and are quoted there:
# neither make nor the shell reads anything in them as code.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

FLAGS := VARIANT SEEDS SCALE DEVICE WORKERS THREADS LAUNCHER RERUN LOGGER ENGINE DATA BENCH BASE FORMAT READOUT PROTOCOL WEIGHTS PREDICTIONS PLUGIN SET SWEEP TUNE MINUTES FOLDER KILLS
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(v)))),$(v)))
$(foreach v,$(FLAGS),$(eval override $(v) := $$(value $(v))))
export $(FLAGS)

# A word for the shell, and a space for make.
quoted = '$(subst ','\'',$(1))'
space := $(subst ,, )

# VENV=none: no set-up, use the interpreter that is there (an image with torch >= 2.11 and Lightning already in it).
VENV ?= .venv
ifeq ($(VENV),none)
PY := $(call quoted,$(or $(PYTHON),python3))
LINT_IMPORTS := lint-imports
READY :=
else
PY := $(call quoted,$(VENV)/bin/python)
LINT_IMPORTS := $(call quoted,$(VENV)/bin/lint-imports)
READY := $(subst $(space),\$(space),$(VENV)/.ready)
endif
export PYTHON

# Print a command as one could type it, then run it.
RUN := run() { printf '$$'; for word; do case $$word in \
  *[!A-Za-z0-9_./:=,+@-]*|'') printf ' %q' "$$word";; *) printf ' %s' "$$word";; esac; done; printf '\n'; "$$@"; }; run
# Code 1 says that single runs failed: the report of the others, holes included, is made before stopping with it.
UNLESS_ONLY_RUNS_FAILED := { status=$$?; [ $$status -eq 1 ] || exit $$status; }
# An empty variable leaves the program's own default.
OWN := $${PLUGIN:+--plugin="$$PLUGIN"}
CHOICES := $${PROTOCOL:+--protocol="$$PROTOCOL"}
CHOICE := $${VARIANT:+--variant="$$VARIANT"} $${SCALE:+--scale="$$SCALE"} $${SEEDS:+--seeds="$$SEEDS"} $${READOUT:+--readout="$$READOUT"} \
  $${SET:+--set="$$SET"} $${TUNE:+--tune="$$TUNE"} $(CHOICES) $(OWN)
PLACE := $${BENCH:+--bench="$$BENCH"} $${SCALE:+--scale="$$SCALE"} $(CHOICES)
MADE := $(PLACE) $${VARIANT:+--variant="$$VARIANT"} --sweep="$$SWEEP"
AS := $${FORMAT:+--format="$$FORMAT"}
MEASURED := $${VARIANT:+--variant="$$VARIANT"} $${DEVICE:+--device="$$DEVICE"} $${THREADS:+--threads="$$THREADS"}
DATA_ROOT := $${DATA:+--data="$$DATA"}
# Wheels that were carried along for an interpreter in which some packages are missing, and which no package index reaches.
WHEELS := if compgen -G '.whl/*.whl' >/dev/null; then export PYTHONPATH="$${TMPDIR:-/tmp}/ssm-wheels$${PYTHONPATH:+:$$PYTHONPATH}"; \
  $(PY) -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$${TMPDIR:-/tmp}/ssm-wheels" .whl/*.whl; fi;
RUNTIME := $${DEVICE:+--device="$$DEVICE"} $${WORKERS:+--workers="$$WORKERS"} $${THREADS:+--threads="$$THREADS"} \
  $${LAUNCHER:+--launcher="$$LAUNCHER"} $${RERUN:+--rerun="$$RERUN"} \
  $${LOGGER:+--logger="$$LOGGER"} $${WEIGHTS:+--weights="$$WEIGHTS"} $${PREDICTIONS:+--predictions="$$PREDICTIONS"} \
  $${ENGINE:+--engine="$$ENGINE"} $(DATA_ROOT)

# Benchmarks, grids and data sets are named in the code, once, each with a few words on what it is. They are read from there as text, so
# that `make` needs no environment to list them: name, tabulator, words.
NAMED := awk -F'"' '/^ *name="[^"]*",$$/ {name = $$2} /^ *(brief|title)="[^"]*",$$/ && name {print name "\t" $$2; name = ""}'
OF_BENCHMARKS := $(NAMED) $(wildcard benchmarks/tasks/*.py) /dev/null
OF_GRIDS := $(NAMED) $(wildcard ablations/*.py) /dev/null
OF_SETS := awk -F'"' '/^    "[a-z0-9-]+": .*\# / {name = $$2; sub(/.*\# /, ""); print name "\t" $$0}' $(wildcard data/registry.py) /dev/null
names = $(shell $(1) | cut -f 1)
BENCHMARKS := $(call names,$(OF_BENCHMARKS))
ABLATIONS := $(addprefix ablate-,$(call names,$(OF_GRIDS)))
DATASETS := $(addprefix data-,$(call names,$(OF_SETS)))

# `make plan` in front of a target that trains: what it would do is said, and nothing starts.
ifeq ($(firstword $(MAKECMDGOALS)),plan)
PLANNED := $(wordlist 2,99,$(MAKECMDGOALS))
PLAN := --plan
THEN := true ||
ifneq ($(filter-out quickstart ablate $(BENCHMARKS) $(ABLATIONS),$(PLANNED)),)
$(error make plan goes before what trains: quickstart, ablate, a benchmark or a grid; got $(filter-out quickstart ablate $(BENCHMARKS) $(ABLATIONS),$(PLANNED)))
endif
ifeq ($(PLANNED),)
$(error make plan what? As in: make plan digits-noise VARIANT=all, or make plan ablate-core BENCH=sc10-mfcc)
endif
endif

.PHONY: help setup list doctor quickstart plan ablate $(BENCHMARKS) $(ABLATIONS) compare report speed profile $(DATASETS) data-status data-card data-gallery data-report cuda-check cuda-pack cuda-take test torture lint clean

# A variable on the command line that its target does not use is an error: what was asked for would not be what is done.
RUNTIME_OF := DEVICE WORKERS THREADS LAUNCHER RERUN LOGGER ENGINE WEIGHTS PREDICTIONS DATA
$(foreach t,$(BENCHMARKS),$(eval USES-$(t) := VARIANT SEEDS SCALE READOUT PROTOCOL SET TUNE $(RUNTIME_OF) PLUGIN))
$(foreach t,$(ABLATIONS),$(eval USES-$(t) := BENCH SEEDS SCALE PROTOCOL $(RUNTIME_OF) PLUGIN))
USES-ablate := BENCH VARIANT SWEEP SEEDS SCALE PROTOCOL $(RUNTIME_OF) PLUGIN
$(foreach t,$(DATASETS),$(eval USES-$(t) := PROTOCOL DATA))
USES-quickstart := $(RUNTIME_OF)
USES-compare := BENCH VARIANT SEEDS SCALE READOUT PROTOCOL SET TUNE FORMAT PLUGIN
USES-report := FORMAT PLUGIN
USES-speed := DEVICE VARIANT THREADS BASE MINUTES FORMAT
USES-profile := BENCH VARIANT SCALE DEVICE THREADS FORMAT
USES-data-status := DATA
USES-cuda-check := DEVICE WORKERS MINUTES FOLDER DATA
USES-cuda-pack := DATA
USES-cuda-take := FOLDER
USES-data-gallery := DATA
USES-torture := KILLS LAUNCHER
USES-plan := $(sort $(foreach t,$(PLANNED),$(USES-$(t))))
EVERYWHERE := VENV PYTHON
# The line of the input that takes the fewest changes of a letter to become the word, if it takes three at the most.
define NEAREST
function least(a, b, c) {return a < b ? (a < c ? a : c) : (b < c ? b : c)};
{
  n = length(word); m = length($$0);
  for (i = 0; i <= n; i++) for (j = 0; j <= m; j++)
    d[i, j] = !i ? j : (!j ? i : least(d[i-1, j] + 1, d[i, j-1] + 1, d[i-1, j-1] + (substr(word, i, 1) != substr($$0, j, 1))));
  if (!near || d[n, m] < least_d) {near = $$0; least_d = d[n, m]};
};
END {if (least_d <= 3) print "; did you mean " near "?"}
endef
near = $(shell printf '%s\n' $(USES-$(1)) $(EVERYWHERE) | awk -v word=$(call quoted,$(2)) $(call quoted,$(NEAREST)))
refuse = $(error $(1) does not use $(2)$(or $(call near,$(1),$(2)),.) It uses: $(strip $(USES-$(1)) $(EVERYWHERE)))
$(foreach t,$(or $(MAKECMDGOALS),help),$(foreach v,$(filter-out $(USES-$(t)) $(EVERYWHERE),$(GIVEN)),$(call refuse,$(t),$(v))))

##@ Start here

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z][a-z0-9-]*:.*## / {printf "  %-22s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@line() { awk -F'\t' -v before="$$1" '{printf "  %-22s %s\n", before $$1, $$2}'; }; \
	  printf '\n%s\n' 'Benchmarks: trained and reported'; $(OF_BENCHMARKS) | line ''; \
	  printf '\n%s\n' 'Grids: three seeds, then the page'; $(OF_GRIDS) | line ablate-; \
	  printf '\n%s\n' 'Data sets: got or generated, checked and prepared'; $(OF_SETS) | line data-
	@printf '\n%s\n' 'Variables (all optional)'
	@printf '  %-22s %s\n' \
	  VARIANT 'parameterizations, comma-separated, or: default, all' \
	  SEEDS 'comma-separated, as in 0,1,2; or a range, as in 0-4' \
	  SCALE 'quick, small or paper' \
	  READOUT 'noise (default), all or last: where the class is read, for signals followed by noise' \
	  PROTOCOL 'other choices of protocol, as in source=mini,split=speakers (python -m data NAME --status lists them), or literature: of a benchmark, all' \
	  DEVICE 'auto, cpu or cuda' \
	  WORKERS 'runs side by side; on cuda those of each GPU' \
	  THREADS 'CPU threads of each run' \
	  LAUNCHER 'local (default); ray: the machines of the cluster at RAY_ADDRESS, else every GPU of this one; slurm: a job each (extras to install)' \
	  RERUN 'missing (default), failed, stale (made by other code) or all' \
	  LOGGER 'csv, tensorboard, wandb or mlflow, into the folder of the run; all but csv are extras to install' \
	  WEIGHTS 'no keeps no trained network; otherwise it is model.safetensors beside the record' \
	  PREDICTIONS '1 keeps the answers to the test set, so that rows are compared example by example' \
	  PLUGIN 'files of your own, comma-separated: variants, inits, discretizations, links, grids, benchmarks' \
	  ENGINE 'how layers are computed: fft, chunked, scan, sequential; default: the fastest by a table' \
	  DATA 'folder of the data sets (default: in the cache of the user)' \
	  BENCH 'benchmark of make compare, make profile, make ablate and make ablate-...' \
	  SET 'fields of every run by their dotted names, as in mixer.d_state=16,optim.lr=0.003' \
	  SWEEP 'of make ablate: fields and values, all combined, as in "mixer.init=lin,inv mixer.real=false,true"' \
	  TUNE 'rates: every row tries several learning rates and is shown at the best on validation' \
	  BASE 'commit whose code make speed measures beside that of the working tree' \
	  MINUTES 'of make speed (15) and of make cuda-check (8), which fill them' \
	  FOLDER 'where make cuda-check puts its results, and make cuda-take finds them' \
	  KILLS 'of make torture (10)' \
	  FORMAT 'of reports, besides HTML and Markdown: csv, latex, pdf' \
	  PYTHON 'interpreter that .venv is made from (3.11 to 3.13)' \
	  VENV 'folder of the environment; none uses the interpreter that is there'

setup: $(READY) ## make .venv and install the suite with exact versions (about 6 GB, once)
	@printf 'The environment is ready: %s\n' "$$($(PY) -c 'import sys; print(sys.executable)')"

list: $(READY) ## benchmarks, variants, scales and ablation grids
	@$(RUN) $(PY) -m benchmarks --list
	@$(RUN) $(PY) -m ablations --list

doctor: $(READY) ## say what of this machine does not fit, with the remedy
	@$(RUN) $(PY) -m benchmarks.doctor

##@ Results

quickstart: $(READY) ## every default variant, and HOPE at its paper's rate, on noise-padded digits, three seeds, then its page (minutes on 2 cores)
	@$(PY) -m benchmarks digits-noise --variant=default,hope-paper-rates --seeds=0,1,2 $(RUNTIME) $(PLAN) \
	  || $(UNLESS_ONLY_RUNS_FAILED); $(THEN) { $(RUN) $(PY) -m reports quickstart; }; exit $${status:-0}

compare: $(READY) ## chosen variants of BENCH, or of a family of benchmarks, side by side from the records; nothing is trained
	@$(RUN) $(PY) -m reports benchmark $${BENCH:+"$$BENCH"} $(CHOICE) $(AS)

report: $(READY) ## every record there is: an index, and a page for each benchmark and grid; nothing is trained
	@$(RUN) $(PY) -m reports everything $(AS) $(OWN)

speed: $(READY) ## how fast every row is beside the textbook algorithms, or beside an older commit (BASE), then its page (15 minutes on 2 cores)
	@$(RUN) $(PY) -m benchmarks.speed $${BASE:+--base="$$BASE"} $${MINUTES:+--minutes="$$MINUTES"} $(MEASURED) \
	  && $(RUN) $(PY) -m reports speed $(AS)

profile: $(READY) ## where the time of a training step of BENCH goes, by part: a table and a chart (seconds for each row)
	@$(RUN) $(PY) -m benchmarks.speed.profile $${BENCH:+"$$BENCH"} $${SCALE:+--scale="$$SCALE"} $(MEASURED) \
	  && $(RUN) $(PY) -m reports profile $${BENCH:+"$$BENCH"} $(AS)

# A command that trains prints itself, with every choice written out.
$(BENCHMARKS): $(READY)
	@$(PY) -m benchmarks $@ $(CHOICE) $(RUNTIME) $(PLAN) \
	  || $(UNLESS_ONLY_RUNS_FAILED); $(THEN) { $(RUN) $(PY) -m reports benchmark $@ $(CHOICE); }; exit $${status:-0}

$(ABLATIONS): $(READY)
	@$(PY) -m ablations $(@:ablate-%=%) $(PLACE) --seeds="$${SEEDS:-0,1,2}" $(RUNTIME) $(OWN) $(PLAN) \
	  || $(UNLESS_ONLY_RUNS_FAILED); $(THEN) { $(RUN) $(PY) -m reports grid $(@:ablate-%=%) $(PLACE) --seeds="$${SEEDS:-0,1,2}" $(OWN); }; \
	  exit $${status:-0}

ablate: $(READY) ## every combination of the values in SWEEP, over the recipe of VARIANT on BENCH, then the page
	@$(PY) -m ablations $(MADE) --seeds="$${SEEDS:-0,1,2}" $(RUNTIME) $(OWN) $(PLAN) \
	  || $(UNLESS_ONLY_RUNS_FAILED); $(THEN) { $(RUN) $(PY) -m reports sweep $(MADE) --seeds="$${SEEDS:-0,1,2}" $(OWN); }; exit $${status:-0}

plan: ## in front of a benchmark, a grid, ablate or quickstart: what would be done, how long it takes; nothing starts
	@:

##@ Data

$(DATASETS): $(READY)
	@$(RUN) $(PY) -m data $(@:data-%=%) $(CHOICES) $(DATA_ROOT)

data-status: $(READY) ## which data sets are there, and where
	@$(RUN) $(PY) -m data --status $(DATA_ROOT)

data-card: $(READY) ## what each data set is: samples, splits, licence, known issues
	@$(RUN) $(PY) -m data --card

data-gallery: $(READY) ## a contact sheet of every data set that is there: images, waves, tokens, labels
	@$(RUN) $(PY) -m reports.datasets gallery $(DATA_ROOT)

data-report: $(READY) ## the committed page of data sets again, from its record of counts and statistics; nothing is measured
	@$(RUN) $(PY) -m reports.datasets page

##@ A GPU that is at hand for minutes

cuda-check: $(READY) ## tests on the GPU, bandwidth, speed, and runs in the time left: 8 minutes; DEVICE=cpu is the dry run
	@$(WHEELS) $(RUN) $(PY) -m benchmarks.cuda check $${DEVICE:+--device="$$DEVICE"} $${MINUTES:+--minutes="$$MINUTES"} \
	  $${FOLDER:+--folder="$$FOLDER"} $${WORKERS:+--workers="$$WORKERS"} $(DATA_ROOT)

cuda-pack: $(READY) ## grey CIFAR-10 in one file, .pack/cifar10-grey.tar.xz (46 MB), to be carried to where no network reaches
	@$(RUN) $(PY) -m benchmarks.cuda pack $(DATA_ROOT)

cuda-take: $(READY) ## the records that cuda-check brought back, in FOLDER=, into the run store
	@$(RUN) $(PY) -m benchmarks.cuda take $${FOLDER:+--folder="$$FOLDER"}

##@ Development

test: lint ## lint, types, import contract, then the tests
	@export OMP_NUM_THREADS="$${OMP_NUM_THREADS:-1}"; \
	$(RUN) $(PY) -m pytest -q --durations=10 --numprocesses=auto --maxprocesses=4 --dist=loadfile

torture: $(READY) ## a grid killed at random (KILLS, 10) and started again must equal the same grid left in peace; minutes
	@$(RUN) $(PY) -m tests.torture $${KILLS:+--kills="$$KILLS"} $${LAUNCHER:+--launcher="$$LAUNCHER"}

lint: $(READY) ## ruff, mypy and the import contract
	@$(RUN) $(PY) -m ruff check --quiet .
	@$(RUN) $(PY) -m mypy
	@$(RUN) $(LINT_IMPORTS) --no-logo

clean: ## remove caches; records in runs/ and the environment stay
	@find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

ifneq ($(VENV),none)
# The file is the promise that this environment holds what these two files ask for.
$(READY): pyproject.toml constraints.txt
	@if ! $(PY) -c 'import pip' >/dev/null 2>&1; then \
	  fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'; base=; seen=; \
	  for candidate in $${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do \
	    version=$$("$$candidate" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue; \
	    seen="$$seen $$candidate ($$version)"; \
	    "$$candidate" -c "$$fits" || continue; \
	    "$$candidate" -c 'import ensurepip, venv' 2>/dev/null || { seen="$$seen without the venv module"; continue; }; \
	    base=$$candidate; break; \
	  done; \
	  if [ -z "$$base" ]; then \
	    printf 'The suite needs Python 3.11, 3.12 or 3.13 with its venv module. Found:%s.\n' "$${seen:- none}" >&2; \
	    printf 'Install one (on Debian: apt install python3.11 python3.11-venv), or name yours: make setup PYTHON=/path/to/python3.12\n' >&2; \
	    exit 5; \
	  fi; \
	  printf 'Making %s with %s ...\n' "$(VENV)" "$$base"; \
	  "$$base" -m venv --clear "$(VENV)" || exit 5; \
	fi
	@printf 'Installing the suite into %s (once; PyTorch is large) ...\n' "$(VENV)"
	@$(PY) -m pip install -qq --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch "$@"
endif
