"""The stack machine of pickles, with the instructions that a state dict of PyTorch's needs.

It has a stack, marks on it, and a memo of values by number. Two instructions of Python's machine
reach outside: GLOBAL imports a name, and REDUCE calls what lies on the stack. Here GLOBAL looks the
name up in a list, and REDUCE calls only what came from there; those that make objects in another
way (OBJ, INST, NEWOBJ, EXT) do not exist. Every step takes a byte of the file at least, and its
time does not grow with the values that it finds. A byte may make an object of a hundred bytes, so
they are counted: what is put on the stack, marked and noted in the memo.
"""

import struct
from collections.abc import Callable

from ...kernels.capacity import memory
from ...kernels.errors import GlassgradError

DEEPEST = 100  # dictionaries in lists in dictionaries ...
LONGEST_NAME = 200  # characters
PICKLE_LIMIT = 256 << 20  # bytes
MOST_VALUES = 2_000_000  # numbers, texts and arrays, counted wherever they occur
COST = 500  # bytes of one, at most: a dictionary, noted in the memo, and what is made of it at last
REFUSED = {  # instructions that a file may not have, by name
    b"o": "OBJ", b"i": "INST", b"\x81": "NEWOBJ", b"\x92": "NEWOBJ_EX", b"\x82": "EXT1",
    b"\x83": "EXT2", b"\x84": "EXT4", b"P": "PERSID", b"\x96": "BYTEARRAY8",
    b"\x97": "NEXT_BUFFER", b"\x98": "READONLY_BUFFER", b"\x8f": "EMPTY_SET", b"\x91": "FROZENSET",
    b"0": "POP", b"1": "POP_MARK", b"2": "DUP", b"\x8b": "LONG4", b"B": "BINBYTES",
    b"C": "SHORT_BINBYTES", b"\x8e": "BINBYTES8", b"\x90": "ADDITEMS",
}  # fmt: skip


class Refused(GlassgradError):
    """Why a file is not read; the path is put before it."""


class Known:
    """A name of the list: what it stands for, and the function that REDUCE may call, if any."""

    __slots__ = ("call", "means", "name")

    def __init__(self, name: str, call: Callable | None = None, means=None):
        self.name, self.call, self.means = name, call, means


class Machine:
    """Runs one pickle after another out of `content`.

    find        (module, name) -> Known, or Refused
    persistent  what BINPERSID hands over -> what lies there
    """

    def __init__(self, content: bytes, find: Callable, persistent: Callable):
        self.content, self.find, self.persistent = content, find, persistent
        self.at = 0
        self.most = self.left = min(MOST_VALUES, memory() // COST)  # of all pickles together

    # ------------------------------------------------------------ the content

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        end = self.at + n
        if end > len(self.content):
            raise Refused(f"is cut off: its pickle ends at byte {len(self.content)}")
        part = self.content[self.at : end]
        self.at = end
        return part

    def number(self, form: str) -> int:
        """The next number, in a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, n: int, encoding: str = "utf-8") -> str:
        """The next n bytes as text."""
        try:
            return self.take(n).decode(encoding)
        except UnicodeDecodeError:
            raise Refused(f"is damaged: no text at byte {self.at - n}") from None

    def line(self) -> str:
        """A name up to the end of the line."""
        end = self.content.find(b"\n", self.at, self.at + LONGEST_NAME)
        if end < 0:
            raise Refused(f"is damaged: no name at byte {self.at}")
        name = self.text(end - self.at)
        self.at += 1
        return name

    # -------------------------------------------------------------- the stack

    def run(self):
        """The value of the next pickle."""
        self.stack, self.marks, self.memo = [], [], {}
        last = self.at + PICKLE_LIMIT
        if self.take(1) != b"\x80" or self.take(1) > b"\x05":
            raise Refused("is no pickle of protocol 2 to 5")
        while (code := self.take(1)) != b".":
            step = STEPS.get(code)
            if step is None:
                name = REFUSED.get(code, "")
                which = f"{name} ({code!r})" if name else f"{code!r}"
                raise Refused(f"has the instruction {which}, which no state dict needs")
            step(self)
            if self.at > last:
                raise Refused(f"has a pickle of more than {PICKLE_LIMIT:,} bytes")
        value = self.pop()
        if self.stack or self.marks:
            raise Refused("is damaged: its pickle leaves values over")
        return value

    def pop(self):
        """The value on top."""
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) <= floor:
            raise Refused(f"is damaged: the stack is empty at byte {self.at}")
        return self.stack.pop()

    def top(self, kind: type, what: str):
        """The value on top, which stays there and must be of that kind."""
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            raise Refused(f"is damaged: the stack is empty at byte {self.at}")
        if type(self.stack[-1]) is not kind:
            kind_there = type(self.stack[-1]).__name__
            raise Refused(f"is damaged: {what} a {kind_there} at byte {self.at}")
        return self.stack[-1]

    def since_mark(self) -> list:
        """What lies above the last mark, taken off with it."""
        if not self.marks:
            raise Refused(f"is damaged: no mark at byte {self.at}")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def push(self, value) -> None:
        """Put a value on top."""
        self.count()
        self.stack.append(value)

    def mark(self) -> None:
        """MARK: what is pushed from here on belongs together."""
        self.count()
        self.marks.append(len(self.stack))

    def count(self) -> None:
        """One more object of ours that a byte of the file has made."""
        self.left -= 1
        if self.left < 0:
            raise Refused(f"holds more than {self.most:,} values")

    # ----------------------------------------------------------- instructions

    def some(self, n: int) -> None:
        """TUPLE1 to TUPLE3: a tuple of the n values on top."""
        self.push(tuple([self.pop() for _ in range(n)][::-1]))

    def keep(self, number: int) -> None:
        """Note the value on top under a number."""
        if not self.stack:
            raise Refused(f"is damaged: the stack is empty at byte {self.at}")
        self.count()
        self.memo[number] = self.stack[-1]

    def recall(self, number: int) -> None:
        """Push the value that was noted."""
        if number not in self.memo:
            raise Refused(f"is damaged: nothing was noted as {number}")
        self.push(self.memo[number])

    def append(self, values: list) -> None:
        """Values onto the list on top."""
        self.top(list, "it appends to").extend(values)

    def set_items(self, values: list) -> None:
        """Keys and values, in turn, into the dictionary on top."""
        into = self.top(dict, "it sets an item of")
        if len(values) % 2:
            raise Refused(f"is damaged: a key without a value at byte {self.at}")
        for key, value in zip(values[::2], values[1::2]):
            # whole numbers of this size have hashes of their own; a million equal ones take hours
            if type(key) is not str and not (type(key) is int and abs(key) < 1 << 31):
                raise Refused(f"has a {type(key).__name__} as a key; texts and integers are read")
            into[key] = value

    def set_item(self) -> None:
        """SETITEM: one key and its value."""
        value, key = self.pop(), self.pop()
        self.set_items([key, value])

    def named(self, module, name) -> None:
        """GLOBAL and STACK_GLOBAL: what a name means."""
        if type(module) is not str or type(name) is not str:
            raise Refused(f"is damaged: a name that is no text at byte {self.at}")
        self.push(self.find(module, name))

    def stack_global(self) -> None:
        """STACK_GLOBAL: module and name lie on the stack."""
        name, module = self.pop(), self.pop()
        self.named(module, name)

    def reduce(self) -> None:
        """REDUCE: call a function of the list."""
        arguments, function = self.pop(), self.pop()
        if type(function) is not Known or function.call is None:
            called = function.name if type(function) is Known else type(function).__name__
            raise Refused(f"calls {called}, which is no function of a state dict")
        if type(arguments) is not tuple:
            raise Refused(f"is damaged: {function.name} is called without a tuple of arguments")
        code = function.call.__code__
        least = code.co_argcount - len(function.call.__defaults__ or ())
        if not least <= len(arguments) <= code.co_argcount:
            raise Refused(f"is damaged: {function.name} is called with {len(arguments)} arguments")
        self.push(function.call(*arguments))

    def build(self) -> None:
        """BUILD: attributes of an ordered dictionary, such as a state dict's versions: dropped."""
        self.pop()
        self.top(dict, "it sets attributes of")

    def persist(self) -> None:
        """BINPERSID: a storage."""
        self.push(self.persistent(self.pop()))


STEPS = {
    b"\x80": lambda m: m.take(1),  # PROTO
    b"\x95": lambda m: m.take(8),  # FRAME: how many bytes follow
    b"(": lambda m: m.mark(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: m.push(int.from_bytes(m.take(m.number("<B")), "little", signed=True)),
    b"G": lambda m: m.push(m.number(">d")),
    b"X": lambda m: m.push(m.text(m.number("<I"))),
    b"\x8c": lambda m: m.push(m.text(m.number("<B"))),
    b"\x8d": lambda m: m.push(m.text(m.number("<Q"))),
    b"U": lambda m: m.push(m.text(m.number("<B"))),  # texts of Python 2
    b"T": lambda m: m.push(m.text(m.number("<I"))),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: m.some(1),
    b"\x86": lambda m: m.some(2),
    b"\x87": lambda m: m.some(3),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.since_mark()),
    b"s": lambda m: m.set_item(),
    b"u": lambda m: m.set_items(m.since_mark()),
    b"q": lambda m: m.keep(m.number("<B")),
    b"r": lambda m: m.keep(m.number("<I")),
    b"\x94": lambda m: m.keep(len(m.memo)),
    b"h": lambda m: m.recall(m.number("<B")),
    b"j": lambda m: m.recall(m.number("<I")),
    b"c": lambda m: m.named(m.line(), m.line()),
    b"\x93": lambda m: m.stack_global(),
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
    b"Q": lambda m: m.persist(),
}
