def figures(system, data, s):
    return {}
