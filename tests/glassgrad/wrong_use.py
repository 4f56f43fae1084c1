"""Wrong uses that a type checker must report, each with the kind of its error; it is never run."""

from pathlib import Path

import glassgrad as gg

x = gg.ones((2, 3))
a: int = gg.mean(x)  # assignment
b = x.summ()  # attr-defined
c = gg.nn.Linear("three", 2)  # arg-type
d = gg.linear(x)  # call-arg
e = gg.topk(x, 2).sum()  # attr-defined
f = gg.sum(x, axes=0)  # call-arg
g = gg.conv2d(x, x, stride="1")  # arg-type
h = gg.optim.Adam(x, lr="fast")  # arg-type
i = gg.save(x, Path("x"))  # arg-type
j: gg.Tensor = gg.grad(x, [x])  # assignment, call-overload
k = gg.full((2,), "seven")  # arg-type
m = gg.no_such_function(x)  # attr-defined, name-defined
n = x + x.backward()  # func-returns-value
