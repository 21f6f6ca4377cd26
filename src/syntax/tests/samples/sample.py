#!/usr/bin/env python3
"""Reads orders.

Orders come one in a line.
"""

from __future__ import annotations

import os.path as path, sys
from .store import (
    Order,
    Stock as Shelf,
)

LIMIT = 10
NAMES: dict[str, int] = {
    "apple": 1,
    "pear": 2,
    "plum": 3,
    "quince": 4,
    "cherry": 5,
}

try:
    import yaml
except ImportError:
    yaml = None


# Counts what is in a line.
def count(line: str, *, limit: int = LIMIT) -> int:  # as fast as can be
    """
    Return how many orders stand in a line.

    Empty ones do not count.
    """
    parts = [part for part in line.split(",") if part]
    return min(len(parts), limit)


class Reader(Shelf):
    """Reads a file of orders."""

    encoding = "utf-8"

    def __init__(self, name):
        self.name = name

    @property
    @cached(
        size=3,
    )
    def lines(self) -> list[str]:
        with open(self.name, encoding=self.encoding) as file:
            return file.readlines()

    class Closed(Exception):
        pass

    async def read(
        self,
        start: int,
    ) -> Order:
        for line in self.lines[start:]:
            yield Order.parse(line)


def tiny(): return 1


if __name__ == "__main__":
    reader = Reader(sys.argv[1])
    for order in reader.read(0):
        print(order, path.basename(reader.name))
