"""Mutation testing: one small change in the source, and the tests have to notice.

    python -m tests.mutants --seed 1 --count 300 --of 'core/functions/*.py' 'kernels/*/reference.py'
    python -m tests.mutants --again            # the mutants that no test killed, once more

    operators.py   which changes there are, and where: a syntax tree in, mutants out
    table.py       which tests have to notice a change in which file
    child.py       one process: a module with its mutant planted, then the tests
    contract.py    the contract test of the kernels, for the mutated file alone
    running.py     a process for each mutant, its time limit, its verdict
    results.py     results.json: every mutant that was run, with its verdict

A mutant is killed when a test fails, the process dies or does not end, and the same tests pass
without it. One that survives is a hole in the tests, unless the list gives the reason why it is

    equivalent    whatever the arguments, the same results to the last bit at every order of
                  derivative, the same errors and warnings, the same functions called on the tape;
                  no number read or written outside its array; as much time and memory
    speed only    all that, but for time: the work is cut in other parts, or is done in other order

A test keeps the list free of other survivors, and of reasons for code that is there no more.

A seed draws the same mutants from the same source. A run of the list is therefore drawn again by
its `of`, `seed` and `count` in a checkout of its `commit`, not in today's; `--list` also names the
killed mutants of the list whose code has changed since.
"""
