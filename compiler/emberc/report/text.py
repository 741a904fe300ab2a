"""The report as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from emberc.quant.layers import LayerAccuracy
from emberc.quant.widen import Choice
from emberc.report.model import Fit, Report
from emberc.report.regions import region_lines
from emberc.report.tradeoff import tradeoff_lines

#: weights and values with 16 bits that are named
_NAMED = 4


def kilobytes(n: int | None) -> str:
    """``12.3 kB``; kilobytes of 1,000 bytes."""
    return "?" if n is None else f"{n / 1000:.1f}"


def _fit_lines(fit: Fit) -> list[str]:
    """Largest saving first."""
    lines = [
        f"{c['tensor']} {c['form']}, {kilobytes(c['before'])} -> {kilobytes(c['after'])} kB, loss {c['loss']:.1e}"
        for c in sorted(fit.choices, key=lambda c: (c["after"] - c["before"], c["tensor"]))
    ]
    lines.append(f"{len(fit.choices)} weights squeezed, loss together {fit.loss:.1e} (noise to signal of the outputs)")
    return [f"{'' if i else 'fit':<11}{line}" for i, line in enumerate(lines)]


def render(report: Report) -> str:
    """Memory, accuracy and notes in a few lines."""
    m = report.memory
    bound = "= bound, proved" if m.arena_proved else f"bound {kilobytes(m.arena_bound)}, not proved"
    lines = [
        f"memory     flash {kilobytes(m.flash.total)} kB   weights {kilobytes(m.flash.weights)}  "
        f"tables {kilobytes(m.flash.tables)}  code {kilobytes(m.flash.code)}",
        f"           RAM   {kilobytes(m.ram.total)} kB   arena {kilobytes(m.ram.arena)} ({bound})  "
        f"state {kilobytes(m.ram.state)}  stack {kilobytes(m.ram.stack)}  I/O {kilobytes(m.ram.io)}",
        f"           total {kilobytes(m.total)} kB of {kilobytes(m.budget)} kB",
    ]
    for pool, (required, available) in m.exceeded().items():
        lines.append(
            f"           {pool} does not fit: {required:,} of {available:,} bytes, {required - available:,} too many"
        )
    lines += region_lines(m.regions, m.waits)
    lines += tradeoff_lines(m.tradeoff)
    if report.fit is not None:
        lines += _fit_lines(report.fit)
    for name, a in report.accuracy.items():
        sqnr = "exact" if a.sqnr_db is None else f"SQNR {a.sqnr_db:.1f} dB"
        lines.append(
            f"accuracy   {name} {sqnr}, cosine {a.cosine:.5f}, {100 * a.top1_agreement:.1f} % same top-1 as float"
            f" ({report.accuracy_samples} samples)"
        )
    if report.synthetic:
        lines.append("           samples are made up: not representative, --calib takes real ones")
    if report.choices:
        wide = [c for c in report.choices if c.dtype == "i16"]
        kinds = " and ".join(f"{sum(c.what == k for c in wide)} of {sum(c.what == k for c in report.choices)} {k}s"
                             for k in dict.fromkeys(c.what for c in report.choices))  # fmt: skip
        lines.append(f"16 bits    {kinds} by measured sensitivity, {kilobytes(sum(c.bytes for c in wide))} kB more")
        lines += [f"           {c.what} of {c.node}: {c.alone_db} dB with 8 bits there alone" for c in wide[:_NAMED]]
        lines += [f"           and {len(wide) - _NAMED} more: emberc report --layers"] if len(wide) > _NAMED else []
    lines.append(f"work       {report.macs:,} multiply-accumulates, integers only")
    lines += [f"note       {n}" for n in report.notes]
    return "\n".join(lines)


def render_choices(choices: Sequence[Choice]) -> str:
    """A table, costliest at 8 bits first: the outputs' dB with only this one at 8 bits, bytes that 16 take more."""
    lines = [f"{'8 bits dB':>9}  type  {'bytes':>8}  what    op                node"]
    lines += [
        f"{'-' if c.alone_db is None else format(c.alone_db, '.1f'):>9}  {c.dtype:<4}  {c.bytes:8,}  {c.what:<6}"
        f"  {c.op:<16}  {c.node}"
        for c in choices
    ]
    return "\n".join(lines)


def render_layers(layers: Sequence[LayerAccuracy]) -> str:
    """A table, worst first: dB, cosine, share of elements out of range, integer type, float op, ONNX node."""
    lines = [f"{'SQNR dB':>8} {'cosine':>8} {'clipped':>8}  type  op                node"]
    lines += [
        f"{row.sqnr_db or 0:8.1f} {row.cosine:8.5f} {row.clipped:8.2%}  {row.dtype:<4}  {row.op:<16}  {row.node}"
        for row in layers
    ]
    return "\n".join(lines)
