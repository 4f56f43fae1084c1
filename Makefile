# Everyday commands; PYTHON may point into any environment with this package installed.
PYTHON ?= python3

.PHONY: test slow lint format demo gradcheck kernels reproduce bench gpu gpu-first gpu-second gpu-page clean

test:       ## the tests of the README, about eight minutes on two cores
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "not slow"

slow:       ## the other tests: large cases, complete trainings
	$(PYTHON) -m pytest -n 2 --dist worksteal -m slow

lint:       ## what continuous integration checks first
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format:     ## format all code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

demo:       ## train four systems on bundled data and write one page about them
	$(PYTHON) -m glassgrad demo

gradcheck:  ## compare every derivative with finite differences
	$(PYTHON) -m glassgrad gradcheck

kernels:    ## list every registered kernel
	$(PYTHON) -m glassgrad kernels

reproduce:  ## the published numbers next to ours, about two hours on two cores
	$(PYTHON) -m glassgrad reproduce --json bench/results/reproduce.json --table LECTURES.md
	$(PYTHON) -m glassgrad lectures --table LECTURES.md README.md

bench:      ## kernels, layers and training steps next to their peers, about a quarter of an hour
	$(PYTHON) -m glassgrad bench --json bench/results/cpu.json \
		--table README.md bench/results/README.md

gpu: gpu-first gpu-second  ## on a machine with a GPU: both commands below, about ten minutes

gpu-first:  ## every kernel once, tests against the reference, launch costs: about 3.5 minutes
	$(PYTHON) -m glassgrad.bench.gpu --stage first --json bench/results/gpu.json

gpu-second: ## times next to cuDNN, ncu, compute-sanitizer: about 6 minutes
	$(PYTHON) -m glassgrad.bench.gpu --stage second --json bench/results/gpu.json

gpu-page:   ## write the results of make gpu on their page; needs no GPU
	$(PYTHON) -m glassgrad.bench.gpu --json bench/results/gpu.json \
		--table bench/results/README.md

clean:
	rm -rf build *.egg-info .pytest_cache .ruff_cache glassgrad-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
