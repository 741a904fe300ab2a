"""Memory planning: in what order the ops run, what is written over what, and where every byte lies.

    buffers.py   a buffer, a placement, the lower bound of a placement
    blocks.py    buffers that share one offset, and which blocks are in each other's way
    greedy.py    first fit and best fit in a given order, and the orders worth trying
    climb.py     seeded local search over placement orders
    exact.py     complete search for a placement of a given height
    place.py     the ladder over these: stops at the first proof
    graph.py     nodes, tensors, views and in-place rules; what is live in an order
    order.py     the order with the smallest peak, and a lower bound over all orders
    plan.py      all of it together: ``plan_memory``
    pools.py     several memories: which of them holds what, by the waits of accesses
    spread.py    a plan of one arena spread over them: ``spread``
    checker.py   verifies a plan file; shares no code with the rest
    certificate.py  the plan file: plans of loops, the model's hash, a digest
    csvtool.py   the planner as a tool: ``emberc plan buffers.csv``

Pure algorithms over plain dataclasses. Imports ``emberc.errors`` only: the driver translates the IR.
"""

from emberc.memory.buffers import Buffer, Placement, load_bound
from emberc.memory.certificate import certificate_text, check_certificate, seal
from emberc.memory.checker import check_plan
from emberc.memory.graph import Node
from emberc.memory.place import place
from emberc.memory.plan import Plan, plan_memory
from emberc.memory.pools import Access, Arena, Pool, Spread
from emberc.memory.spread import PLACEMENTS, Peak, peak, spread

__all__ = [
    "PLACEMENTS",
    "Access",
    "Arena",
    "Buffer",
    "Node",
    "Peak",
    "Placement",
    "Plan",
    "Pool",
    "Spread",
    "certificate_text",
    "check_certificate",
    "check_plan",
    "load_bound",
    "peak",
    "place",
    "plan_memory",
    "seal",
    "spread",
]
