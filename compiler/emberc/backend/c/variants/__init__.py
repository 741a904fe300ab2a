"""Fast kernels by instruction set: importing this package enters them into ``VARIANTS``."""

from emberc.backend.c.variants import armv7em_attention as armv7em_attention
from emberc.backend.c.variants import armv7em_batch_matmul as armv7em_batch_matmul
from emberc.backend.c.variants import armv7em_conv as armv7em_conv
from emberc.backend.c.variants import armv7em_matmul as armv7em_matmul
from emberc.backend.c.variants import armv7em_packed as armv7em_packed
from emberc.backend.c.variants import armv7em_rows as armv7em_rows
from emberc.backend.c.variants import armv7em_scan as armv7em_scan
from emberc.backend.c.variants import armv7em_wide as armv7em_wide
from emberc.backend.c.variants import cells as cells
from emberc.backend.c.variants import conv as conv
from emberc.backend.c.variants import mve_attention as mve_attention
from emberc.backend.c.variants import mve_batch_matmul as mve_batch_matmul
from emberc.backend.c.variants import mve_conv as mve_conv
from emberc.backend.c.variants import mve_elementwise as mve_elementwise
from emberc.backend.c.variants import mve_matmul as mve_matmul
from emberc.backend.c.variants import mve_norm as mve_norm
from emberc.backend.c.variants import mve_rows as mve_rows
from emberc.backend.c.variants import mve_scan as mve_scan
from emberc.backend.c.variants import norm_pairs as norm_pairs
from emberc.backend.c.variants import rv32_attention as rv32_attention
from emberc.backend.c.variants import rv32_batch_matmul as rv32_batch_matmul
from emberc.backend.c.variants import rv32_conv as rv32_conv
from emberc.backend.c.variants import rv32_matmul as rv32_matmul
from emberc.backend.c.variants import rv32_rows as rv32_rows
from emberc.backend.c.variants import rv32_scan as rv32_scan
