"""The emitters of the integer ops, one file a family; importing this package registers them all."""

from emberc.backend.c.emitters import attention as attention
from emberc.backend.c.emitters import cells as cells
from emberc.backend.c.emitters import elementwise as elementwise
from emberc.backend.c.emitters import embed as embed
from emberc.backend.c.emitters import index as index
from emberc.backend.c.emitters import logic as logic
from emberc.backend.c.emitters import matmul as matmul
from emberc.backend.c.emitters import movement as movement
from emberc.backend.c.emitters import norm as norm
from emberc.backend.c.emitters import reduce as reduce
from emberc.backend.c.emitters import remap as remap
from emberc.backend.c.emitters import rows as rows
from emberc.backend.c.emitters import scan as scan
from emberc.backend.c.emitters import stream as stream
from emberc.backend.c.emitters import table as table
from emberc.backend.c.emitters import window as window
