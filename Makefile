# make demo   the main job on examples/comments.txt, in an environment of its own: core only, no torch
# make test   everything that must hold: style, types, tests
# PYTHON=python3.12 make test   with another Python (3.11 to 3.13)

PYTHON ?= python3
TORCH ?= torch==2.13.0
RUNS ?= runs/embedded-en
PYTEST_FLAGS ?=
SUDO ?= $(if $(filter 0,$(shell id -u)),,sudo)

VENV := .venv
DEMO := .venv-demo
SERVICE := .venv-serve
LITELLM := .venv-litellm
GUARDRAILS := .venv-guardrails
CAIKIT := .venv-caikit
MLSERVER := .venv-mlserver
IN := $(VENV)/bin/
SOURCES := $(shell find src -type f -not -name '*.pyc')

.DEFAULT_GOAL := test
.PHONY: demo serve chat test test-slow lint bench docs docs-data readme model postgresql litellm guardrails caikit mlserver clean

demo: $(DEMO)/.installed
	$(DEMO)/bin/unbarb rewrite --input examples/comments.txt --view table

# The service on http://127.0.0.1:8000, with the embedded model.
serve: $(SERVICE)/.installed
	$(SERVICE)/bin/unbarb serve

chat: $(SERVICE)/.installed
	$(SERVICE)/bin/python examples/chat_through_proxy.py

# Two processes of one thread each; not loadfile, which runs one of the tests that share an id.
test: lint postgresql litellm guardrails
	OMP_NUM_THREADS=1 $(IN)python -m pytest -m "not slow" -n 2 --dist worksteal $(PYTEST_FLAGS)

test-slow: $(VENV)/.installed caikit mlserver
	$(IN)python -m pytest -m slow $(PYTEST_FLAGS)

lint: $(VENV)/.installed
	$(IN)ruff check
	$(IN)mypy

bench: $(VENV)/.installed litellm postgresql
	$(IN)python benchmarks/speed.py
	$(IN)python benchmarks/size.py
	$(IN)python benchmarks/training.py --out benchmarks/training.json
	$(IN)python benchmarks/stream.py
	$(IN)python benchmarks/audit.py
	$(IN)python benchmarks/serve.py
	$(IN)python benchmarks/proxy.py
	$(IN)python benchmarks/soak.py
	$(IN)python benchmarks/corpus.py speed
	$(IN)python benchmarks/corpus.py ray
	$(IN)python benchmarks/corpus.py kill

# Writes the help of every command into its page.
docs: $(VENV)/.installed
	$(IN)python -m unbarb.cli.docs docs/cli.md

# Counts the corpora and writes the table in docs/data.md; UNBARB_DATA names their folder.
docs-data: $(VENV)/.installed
	$(IN)unbarb data list --json > benchmarks/data.jsonl
	$(IN)python benchmarks/data.py
	$(IN)python benchmarks/prepared.py --run

# Writes the demonstration in README.md; its milliseconds are those of this machine.
readme: $(VENV)/.installed
	$(IN)python benchmarks/readme.py

# Needs the corpora: UNBARB_DATA names their folder. Hours on two processor cores.
model: $(VENV)/.installed
	$(IN)unbarb train src/unbarb/recipes/embedded-en.yaml --out $(RUNS)

clean:
	rm -rf $(VENV) $(DEMO) $(SERVICE) $(LITELLM) $(GUARDRAILS) $(CAIKIT) $(MLSERVER) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The tests keep records in a real PostgreSQL, which they start themselves.
postgresql:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
	|| { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq postgresql; }

# LiteLLM's own proxy and Guardrails, which the tests run: their pins want environments of their own.
litellm: $(LITELLM)/.installed

guardrails: $(GUARDRAILS)/.installed

$(LITELLM)/.installed: pyproject.toml
	test -x $(LITELLM)/bin/python || $(PYTHON) -m venv $(LITELLM)
	$(LITELLM)/bin/python -m pip install --quiet 'litellm[proxy]==1.106.2' pytest --editable '.[serve]'
	touch $@

$(GUARDRAILS)/.installed: pyproject.toml
	test -x $(GUARDRAILS)/bin/python || $(PYTHON) -m venv $(GUARDRAILS)
	$(GUARDRAILS)/bin/python -m pip install --quiet 'guardrails-ai==0.11.0' pytest --editable .
	touch $@

# Caikit's own loader and runtime, which slow tests ask; its pins want an environment of its own.
caikit: $(CAIKIT)/.installed

$(CAIKIT)/.installed: pyproject.toml
	test -x $(CAIKIT)/bin/python || $(PYTHON) -m venv $(CAIKIT)
	$(CAIKIT)/bin/python -m pip install --quiet "$(TORCH)"
	$(CAIKIT)/bin/python -m pip install --quiet "$(TORCH)" 'caikit[runtime-grpc,runtime-http]<0.29' \
	  'caikit-tgis-backend<0.2' 'accelerate>=1.3' 'datasets>=3.3' 'numpy<2' 'pandas>=2.2.3' 'pyarrow<22' \
	  'scikit-learn>=1.6.1' 'sentence-transformers<3.5' 'transformers<4.50' 'peft==0.14.0'
	$(CAIKIT)/bin/python -m pip install --quiet --no-deps 'caikit-nlp==0.5.15'
	touch $@

# MLServer, for the same reason.
mlserver: $(MLSERVER)/.installed

$(MLSERVER)/.installed: pyproject.toml
	test -x $(MLSERVER)/bin/python || $(PYTHON) -m venv $(MLSERVER)
	$(MLSERVER)/bin/python -m pip install --quiet 'mlserver>=1.7'
	touch $@

$(VENV)/.installed: pyproject.toml
	test -x $(IN)python || $(PYTHON) -m venv $(VENV)
	$(IN)python -m pip install --quiet "$(TORCH)"
	$(IN)python -m pip install --quiet --editable '.[train,ct2,serve,corpus,ray,datatrove,s3,dev]'
	touch $@

$(DEMO)/.installed: pyproject.toml $(SOURCES)
	test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet .
	touch $@

$(SERVICE)/.installed: pyproject.toml $(SOURCES)
	test -x $(SERVICE)/bin/python || $(PYTHON) -m venv $(SERVICE)
	$(SERVICE)/bin/python -m pip install --quiet '.[serve]'
	touch $@
