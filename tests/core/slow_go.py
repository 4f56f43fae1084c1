"""An engine for Go that is nothing but the rules: what faster ones are compared with."""


class Slow:
    """One board, as plainly as possible: colours in a dictionary, chains by search."""

    def __init__(self, side):
        self.side, self.stones, self.before, self.player = side, {}, None, 1

    def beside(self, p):
        row, column = divmod(p, self.side)
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < self.side and 0 <= c < self.side:
                yield r * self.side + c

    def chain(self, stones, p):
        found, todo, free = {p}, [p], set()
        while todo:
            for q in self.beside(todo.pop()):
                if q not in stones:
                    free.add(q)
                elif stones[q] == stones[p] and q not in found:
                    found.add(q)
                    todo.append(q)
        return found, free

    def after(self, p):
        """The stones after a move at p, or None where it is illegal."""
        if p in self.stones:
            return None
        stones = {**self.stones, p: self.player}
        for q in self.beside(p):
            if stones.get(q) == 3 - self.player:
                found, free = self.chain(stones, q)
                if not free:
                    stones = {k: v for k, v in stones.items() if k not in found}
        if not self.chain(stones, p)[1] or stones == self.before:
            return None
        return stones

    def play(self, p):
        after = self.stones if p == self.side**2 else self.after(p)
        # the position before the last move may not come back at once: the simple ko
        self.before = None if p == self.side**2 else self.stones
        self.stones, self.player = after, 3 - self.player

    def points(self, colour):
        total = sum(v == colour for v in self.stones.values())
        for p in set(range(self.side**2)) - self.stones.keys():
            found, todo, seen = {p}, [p], set()
            while todo:
                for q in self.beside(todo.pop()):
                    if q in self.stones:
                        seen.add(self.stones[q])
                    elif q not in found:
                        found.add(q)
                        todo.append(q)
            total += seen == {colour}
        return total
