"""q.conv, q.depthwise, q.pool_max and q.pool_mean."""

from __future__ import annotations

from collections.abc import Callable

from emberc.backend.c.context import EmitContext, Fields
from emberc.backend.c.emitters.suffix import typed
from emberc.backend.c.kernels import Kernel, portable_kernel
from emberc.backend.c.registry import EMITTERS, Call, emitter
from emberc.ir.ops.integer_convolution import Conv
from emberc.ir.ops.integer_window import Depthwise, PoolMax, PoolMean
from emberc.ir.values import Value
from emberc.ir.windows import Windows

_PAIRS = ("kernel", "stride", "dilation")


def window(x: Value, y: Value, windows: Windows) -> Fields:
    """``ember_window``: an x of one axis is an image of height 1."""
    image = windows.image()
    sizes = [*zip(_PAIRS, (image.kernel, image.strides, image.dilations), strict=True)]
    fields: Fields = {"batches": x.shape[0]}
    for prefix, v in (("", x), ("y_", y)):
        height, width = v.shape[1:-1] if len(v.shape) == 4 else (1, v.shape[1])
        fields |= {f"{prefix}height": height, f"{prefix}width": width, f"{prefix}channels": v.shape[-1]}
    fields |= {f"{name}_{axis}": pair[i] for name, pair in sizes for i, axis in enumerate(("height", "width"))}
    return {**fields, "pad_top": image.pads[0], "pad_left": image.pads[1]}


def conv_patches(product: Kernel, op: Conv) -> int:
    """Where in its scratch a q.conv lays out windows: behind what the kernel of its products takes."""
    return -(-product.scratch_bytes(op.product(0)) // 4) * 4


def conv_emitter(kernel_of: Callable[[Conv], Kernel]) -> Callable[[Conv, EmitContext], list[Call]]:
    """The emitter of a q.conv whose products ``kernel_of`` runs: one call a group."""

    def emit(op: Conv, ctx: EmitContext) -> list[Call]:
        kernel = kernel_of(op)
        size, n = op.w.shape[-1], op.w.shape[0] // op.groups
        calls = []
        for g in range(op.groups):
            product = op.product(g)
            part = ctx.inside(product, kernel)
            matmul = (kernel.emit or EMITTERS["q.matmul"].emit)(product, part)
            assert isinstance(matmul, Call)
            fields: Fields = {
                "window": window(op.x, op.y, op.windows()),
                "matmul": matmul.arguments[-1],
                "tile": op.tile_rows(),
                "group_channels": size,
                "first_channel": g * size,
                "group_outputs": n,
                "first_output": g * n,
                "fill": op.zx,
                "patches": conv_patches(kernel, op),
            }
            p = ctx.params("ember_conv_params", fields)
            calls.append(ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), ctx.scratch, p))
        return calls

    return emit


def _portable_product(op: Conv) -> Kernel:
    return portable_kernel(typed("ember_matmul", "x")(op.product(0)))


emitter("q.conv", kernel=typed("ember_conv", "x"))(conv_emitter(_portable_product))


@emitter("q.depthwise", kernel=typed("ember_depthwise", "x"))
def emit_depthwise(op: Depthwise, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_depthwise_params",
        {
            "window": window(op.x, op.y, op.windows()),
            "w": ctx.pointer(op.w),
            "bias": ctx.pointer(op.bias),
            "m": ctx.pointer(op.m),
            "zx": op.zx,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


@emitter("q.pool_max", kernel=typed("ember_pool_max", "x"))
def emit_pool_max(op: PoolMax, ctx: EmitContext) -> Call:
    p = ctx.params("ember_pool_max_params", {"window": window(op.x, op.y, op.windows())})
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)


@emitter("q.pool_mean", kernel=typed("ember_pool_mean", "x"))
def emit_pool_mean(op: PoolMean, ctx: EmitContext) -> Call:
    p = ctx.params(
        "ember_pool_mean_params",
        {
            "window": window(op.x, op.y, op.windows()),
            "m": ctx.pointer(op.m),
            "zx": op.zx,
            "shift": op.shift,
            "zero_point": op.zero_point,
        },
    )
    return ctx.call(ctx.pointer(op.x), ctx.pointer(op.y), p)
