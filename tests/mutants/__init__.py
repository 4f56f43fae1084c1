"""Mutation testing: one small change in the source, and the tests have to notice.

    python -m tests.mutants --seed 1 --count 300 --of 'core/functions/*.py' 'kernels/*/reference.py'
    python -m tests.mutants --again            # the mutants that no test killed, once more

    operators.py   which changes there are, and where: a syntax tree in, mutants out
    table.py       which tests have to notice a change in which file
    child.py       one process: a module with its mutant planted, then the tests
    contract.py    the contract test of the kernels, for the mutated file alone
    running.py     a process for each mutant, its time limit, its verdict
    results.py     results.json: every mutant that was run, with its verdict

A mutant is killed when a test fails that passes without it, when the process dies, or when it does
not end. One that survives is either a hole in the tests or equivalent: it changes nothing that a
caller may rely on. The list names the reason for each of those; a test keeps it free of others.
"""
