"""q.conv by the q.matmul kernels of every instruction set that has some: products are theirs, windows plain C."""

from __future__ import annotations

from emberc.backend.c.emitters.window import conv_emitter, conv_patches
from emberc.backend.c.kernels import VARIANTS, Kernel, Variant
from emberc.backend.c.variants import armv7em_matmul, mve_matmul, rv32_matmul
from emberc.backend.c.variants.runtime import kernel_source
from emberc.ir.op import Op
from emberc.ir.ops.integer_convolution import Conv

#: feature -> folder of its kernels
FEATURES = {
    armv7em_matmul.ISA: armv7em_matmul.ISA,
    armv7em_matmul.M7: armv7em_matmul.ISA,
    mve_matmul.ISA: mve_matmul.ISA,
    rv32_matmul.ISA: rv32_matmul.ISA,
}


def _variant(folder: str, products: Variant) -> Variant:
    kernel = products.kernel
    function = kernel.function.replace("matmul", "conv")

    def accepts(op: Op) -> bool:
        assert isinstance(op, Conv)
        return all(products.accepts(op.product(g)) for g in range(op.groups))

    def scratch_bytes(op: Op) -> int:
        assert isinstance(op, Conv)
        return conv_patches(kernel, op) + op.patch_bytes()

    source = kernel_source(folder, function)
    return Variant(Kernel(function, source, scratch_bytes=scratch_bytes, emit=conv_emitter(lambda op: kernel)), accepts)


for _feature, _folder in FEATURES.items():
    for _types in ("s8", "s8_s16"):
        VARIANTS[_feature, f"ember_conv_{_types}"] = _variant(_folder, VARIANTS[_feature, f"ember_matmul_{_types}"])
