# `make` alone lists the commands. PYTHON chooses the interpreter: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
NOTEBOOK = $(wildcard notebooks/$(CHAPTER)_*.ipynb)

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

book: .venv/ready  ## build the book from the stored outputs
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book is built: $(CURDIR)/_build/html/index.html (for the figures: make serve)"

serve: book  ## build the book and serve it at http://localhost:8000
	@echo "Open http://localhost:8000 (Ctrl+C stops it)"
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

pdf: .venv/ready  ## print the whole book into one PDF (needs Chromium)
	$(BIN)/jupyter-book build . --builder singlehtml --path-output _build/one-page
	$(BIN)/python -m tools.book pdf _build/one-page/_build/singlehtml/book/index.html _build/from-kernels-to-convnets.pdf

epub: .venv/ready  ## make an e-book of the whole book
	$(BIN)/jupyter-book build . --builder custom --custom-builder epub --path-output _build/e-book
	@cp _build/e-book/_build/epub/from-kernels-to-convnets.epub _build/
	@echo "The e-book is ready: $(CURDIR)/_build/from-kernels-to-convnets.epub"

lab: .venv/ready  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

refresh: .venv/ready  ## run notebooks and store their outputs: all, or NB=notebooks/04_output_size.ipynb
	$(BIN)/python -m tools.book refresh $(if $(RENEW),--renew) $(NB)

lint: .venv/ready  ## look at every notebook and file without running anything (seconds)
	$(BIN)/python -m tools.book lint

test: .venv/ready  ## run what CI runs on every push, or what concerns one chapter: CHAPTER=04
ifdef CHAPTER
	$(if $(NOTEBOOK),,$(error There is no chapter $(CHAPTER), as in CHAPTER=04))
	$(BIN)/python -m pytest --nbval -k "$(basename $(notdir $(NOTEBOOK))) or test_$(CHAPTER)_" $(NOTEBOOK) \
	  $(wildcard tests/chapters/test_$(CHAPTER)_*.py tests/pages) tests/chapters/test_checkers.py
else
	$(BIN)/python -m pytest --nbval
	@echo "Once more, imitating another processor:"
	OPENBLAS_CORETYPE=Haswell ONEDNN_MAX_CPU_ISA=AVX2 $(BIN)/python -m pytest --nbval notebooks
endif

bench: .venv/ready  ## seconds and memory of each notebook, seconds of the book, chapter 14's ladder here
	$(BIN)/python -m tools.book bench
	$(BIN)/python -m tools.make.ladder table

bench-frameworks: .venv/ready  ## measure the book beside Keras, PyTorch and JAX into data/frameworks.json (half an hour, 1.6 GB)
	$(BIN)/python -m tools.make.frameworks

lighthouse: book  ## what Lighthouse must find on every page, or on PAGES="book/index.html ..." (needs Chromium and node)
	for device in desktop phone; do npx --yes @lhci/cli@0.15.1 autorun \
	  --config=tools/lighthouse/$$device.yml $(PAGES:%=--collect.url=%) || exit 1; done

ray: _build/ray/ready  ## run chapter 21's training under Ray Train too: the same numbers? (2 GB, three minutes)
	_build/ray/bin/python -m tools.ray.same_digest

lock: .venv/ready  ## renew requirements.lock after a change of requirements.txt
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile --universal --python-version 3.11 -q --no-annotate --no-header requirements.txt -o requirements.lock

clean:  ## remove the environment and everything built
	rm -rf .venv _build

.venv/ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "This book needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock
	$(BIN)/python -c "import matplotlib.font_manager"  # builds its font cache now, not in a reader's cell
	@touch $@

_build/ray/ready: tools/ray/requirements.txt requirements.lock
	$(PYTHON) -m venv _build/ray
	_build/ray/bin/python -m pip install --disable-pip-version-check -q -r tools/ray/requirements.txt
	@touch $@

.PHONY: help book serve pdf epub lab refresh lint test bench bench-frameworks lighthouse ray lock clean
