"""Which faces are connected by similarities, and where what is connected is cut because it is too large."""

import numpy as np

from udfs.search.jit import jit

Array = np.ndarray


def forest(one: Array, other: Array, similarity: Array) -> Array:
    """Edges that connect what all edges connect, at every similarity: of a circle the least similar is left out
    (Kruskal 1956). int64, places among the edges, in the order of falling similarity.

    one, other: int64 (n,), nodes by numbers below 2**62. similarity: float64 (n,).
    """
    nodes, ends = np.unique(np.concatenate([one, other]), return_inverse=True)
    order = np.argsort(-similarity, kind="stable")
    return order[_spanning(ends[: len(one)][order], ends[len(one) :][order], len(nodes))]


def pieces(nodes: int, one: Array, other: Array, similarity: Array, limit: int, same: Array) -> tuple[Array, Array]:
    """The nodes that are connected, as pieces of at most `limit` each.

    What is larger is cut where it is least similar: a piece is a set of nodes that are connected by edges of some
    similarity and above, of which there are at most `limit`, while with the next lower edges there would be more. So
    the pieces do not depend on the order of anything.

    one, other, similarity: of the edges, as `forest` returns them. same: int64 (nodes,), nodes with the same number
    count as one, and are in one piece whatever its size. Returns: int64 (nodes,), a node of each one's piece, the same
    for all of the piece; bool (nodes,), whether its piece was cut off.
    """
    order = np.argsort(-similarity, kind="stable")
    return _pieces(nodes, one[order], other[order], similarity[order], limit, same)


@jit
def _spanning(one: Array, other: Array, nodes: int) -> Array:
    parent = np.arange(nodes)
    kept = np.zeros(len(one), np.bool_)
    for edge in range(len(one)):
        left, right = _root(parent, one[edge]), _root(parent, other[edge])
        if left != right:
            parent[max(left, right)] = min(left, right)
            kept[edge] = True
    return np.flatnonzero(kept)


@jit
def _pieces(nodes: int, one: Array, other: Array, similarity: Array, limit: int, same: Array) -> tuple[Array, Array]:
    whole, piece = np.arange(nodes), np.arange(nodes)
    size = np.ones(nodes, np.int64)
    for node in range(nodes):
        first = same[node]
        if first != node:
            whole[_root(whole, node)] = _root(whole, first)
            piece[_root(piece, node)] = _root(piece, first)
    begin = 0
    while begin < len(one):
        end = begin
        while end < len(one) and similarity[end] == similarity[begin]:
            left, right = _root(whole, one[end]), _root(whole, other[end])
            if left != right:
                low, high = min(left, right), max(left, right)
                whole[high] = low
                size[low] += size[high]
            end += 1
        for edge in range(begin, end):
            if size[_root(whole, one[edge])] <= limit:
                left, right = _root(piece, one[edge]), _root(piece, other[edge])
                piece[max(left, right)] = min(left, right)
        begin = end
    label, cut = np.empty(nodes, np.int64), np.empty(nodes, np.bool_)
    for node in range(nodes):
        label[node] = _root(piece, node)
        cut[node] = size[_root(whole, node)] > limit
    return label, cut


@jit
def _root(parent: Array, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
