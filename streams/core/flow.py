"""Maximum flow in a small network of integer capacities: Dinic's algorithm, no ties to chance."""

from collections import deque

__all__ = ["Network"]


class Network:
    """Nodes are numbers from 0; arcs are used in the order in which they were added."""

    def __init__(self, nodes: int) -> None:
        self._arcs: list[list[int]] = [[] for _ in range(nodes)]
        self._ends: list[int] = []
        self._rest: list[int] = []  # an arc's free capacity; its reverse stands behind it

    def add(self, start: int, end: int, capacity: int) -> int:
        """Add an arc; return its number."""
        arc = len(self._ends)
        self._arcs[start].append(arc)
        self._arcs[end].append(arc + 1)
        self._ends += (end, start)
        self._rest += (capacity, 0)
        return arc

    def flow(self, arc: int) -> int:
        """Return what goes through the arc."""
        return self._rest[arc + 1]

    def fill(self, source: int, sink: int) -> int:
        """Send as much as fits from source to sink; return how much that is.

        Source: Dinic 1970.
        """
        sent = 0
        while (levels := self._levels(source, sink)) is not None:
            following = [0] * len(self._arcs)  # the arc of each node to try next
            while pushed := self._push(source, sink, levels, following):
                sent += pushed
        return sent

    def reaching(self, sink: int) -> list[bool]:
        """Return for each node whether more could go from it to the sink."""
        found = [False] * len(self._arcs)
        found[sink] = True
        queue = deque([sink])
        while queue:
            node = queue.popleft()
            for arc in self._arcs[node]:
                start = self._ends[arc]
                if self._rest[arc ^ 1] and not found[start]:
                    found[start] = True
                    queue.append(start)
        return found

    def _levels(self, source: int, sink: int) -> list[int] | None:
        levels = [-1] * len(self._arcs)
        levels[source] = 0
        queue = deque([source])
        while queue:
            node = queue.popleft()
            for arc in self._arcs[node]:
                end = self._ends[arc]
                if self._rest[arc] and levels[end] < 0:
                    levels[end] = levels[node] + 1
                    queue.append(end)
        return levels if levels[sink] >= 0 else None

    def _push(self, source: int, sink: int, levels: list[int], following: list[int]) -> int:
        """Send along one shortest path; return how much, 0 when none is left."""
        path: list[int] = []
        node = source
        while node != sink:
            arcs = self._arcs[node]
            while following[node] < len(arcs):
                arc = arcs[following[node]]
                end = self._ends[arc]
                if self._rest[arc] and levels[end] == levels[node] + 1:
                    path.append(arc)
                    node = end
                    break
                following[node] += 1
            else:
                if not path:
                    return 0
                node = self._ends[path.pop() ^ 1]  # a dead end: back, and past the arc to it
                following[node] += 1
        sent = min([self._rest[arc] for arc in path])
        for arc in path:
            self._rest[arc] -= sent
            self._rest[arc ^ 1] += sent
        return sent
