"""Target descriptions: one TOML file a board, read into a frozen :class:`Target`.

Adding a board is adding a file: copy the TOML here that is nearest, change what differs, and name it by path
(``--target ./my_board.toml``) or drop it into this folder; ``compiler/README.md`` shows how several memories are
described. This package imports nothing of emberc but ``errors``.
"""

from emberc.targets.loader import load_target, target_names
from emberc.targets.runtime import runtime_root
from emberc.targets.schema import Emulator, Region, Target, Toolchain

__all__ = ["Emulator", "Region", "Target", "Toolchain", "load_target", "runtime_root", "target_names"]
