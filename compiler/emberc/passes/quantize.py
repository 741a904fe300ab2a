"""quantize: float IR and calibration data to integer IR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from emberc.errors import UnsupportedError, UsageError, VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.types import DType, TensorType
from emberc.passes.lower import LOWERINGS, Lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.manager import Pass
from emberc.passes.squeezable import squeezable
from emberc.quant.calibration import CalibrationData, observe, synthetic_calibration
from emberc.quant.layers import measure_layers
from emberc.quant.noise import SAMPLES, Meter
from emberc.quant.observers import Statistics
from emberc.quant.precision import Policy, choose_types, parse_precision, prescribed
from emberc.quant.scan import scan_types
from emberc.quant.scan_ranges import ScanObserver
from emberc.quant.states import share_statistics, state_values, tie_states
from emberc.quant.widen import (
    INT16_DB,
    MOST_WIDE,
    NEAR,
    choose,
    default_db,
    too_noisy,
    value_candidates,
    weight_candidates,
)

#: with fewer samples the ranges of all but one say little about those of all
FEWEST_TO_LEAVE_OUT = 4


@dataclass(frozen=True)
class Quantize(Pass):
    """Observes every float value on the calibration samples, chooses its integers, lowers every op.

    Static post-training quantization: weights int8 symmetric per output channel, activations int8 or int16 as
    ``quant.precision`` and ``quant.widen`` say. Scales become multipliers; nothing after this pass knows a float.
    ``overrides`` is "node=i16;other=i8".
    """

    name: ClassVar[str] = "quantize"
    observer: str = "minmax"
    percentile: float = 99.99
    precision: str = "int8"
    overrides: str = ""

    def requires(self, module: Module) -> None:
        missing: Counter[str] = Counter()
        where: dict[str, list[str]] = {}
        for op in (op for f in module.functions.values() for op in f.ops):
            if op.opcode not in LOWERINGS:
                missing[op.opcode] += 1
                where.setdefault(op.opcode, []).append(op.loc or "?")
        if missing:
            raise UnsupportedError(
                f"{len(missing)} kinds of op have no integer form: {', '.join(sorted(missing))}",
                details=[f"{n}x {code}: {', '.join(where[code][:4])}" for code, n in missing.most_common()],
                hints=["register a lowering: @emberc.lowering(opcode), see examples/custom_op"],
            )

    def run(self, module: Module) -> bool:
        data = module.calibration
        if not isinstance(data, CalibrationData):
            data = synthetic_calibration(module.main)
            module.notes.append("no calibration data: synthetic samples were used, accuracy is not representative")
        main = module.main
        for name, function in module.functions.items():
            seen = ScanObserver(function)
            left_out: list[dict[int, Statistics]] = [{} for _ in range(self._left_out(data))]
            stats = observe(
                function, data.samples, histograms=self.observer != "minmax", also=seen.see, left_out=left_out
            )
            if data.complete:
                for seen_values in stats.values():
                    seen_values.rows = 0
            for ranges in (stats, *left_out):
                share_statistics(function, ranges)
            forms = {id(w.value): module.forms[w.name] for w in squeezable(function) if w.name in module.forms}
            types, wide, fixed = self._types(module, function, data, stats, left_out, forms, seen)
            scans = scan_types(function, types, stats, seen, fixed, wide)
            tie_states(function, types)
            lowering = Lowering(types, forms, scans, seen.convs, wide)
            module.functions[name] = lowering.run(function)
            _settle(module.functions[name], lowering)
            if function is main:
                module.layers = measure_layers(main, module.functions[name], lowering.values, data.held, scans)
        module.main.prune()
        return True

    def _left_out(self, data: CalibrationData) -> int:
        """How many samples noise is measured on with ranges that leave them out."""
        if self.observer != "minmax" or data.complete or len(data.samples) < FEWEST_TO_LEAVE_OUT:
            return 0  # percentiles and squared errors clip on purpose: one sample hardly moves their ranges
        return min(SAMPLES, len(data.samples))

    def _types(
        self,
        module: Module,
        function: Function,
        data: CalibrationData,
        stats: dict[int, Statistics],
        left_out: Sequence[dict[int, Statistics]],
        forms: Collection[int],
        seen: ScanObserver,
    ) -> tuple[dict[int, TensorType], set[int], Collection[str]]:
        """The integer types, the weights that get 16 bits, and the nodes whose types the user chose."""
        precision, target = parse_precision(self.precision)
        overrides, states = _overrides(self.overrides, module), state_values(function)
        policy = Policy(self.observer, self.percentile, precision, overrides, whole=states)
        types = choose_types(function, stats, policy)
        meter = Meter(function, data.samples)
        if precision == "int16":
            wide, choices = choose(meter, weight_candidates(function, types, forms), 10 ** (-INT16_DB / 10))
            module.choices += choices
            return types, wide, overrides

        def settled(stats: dict[int, Statistics], policy: Policy = policy) -> dict[int, TensorType]:
            """The types that the firmware will have."""
            types = choose_types(function, stats, policy)
            scan_types(function, types, stats, seen, overrides)
            return types

        found = value_candidates(function, settled(stats), prescribed(function), [settled(s) for s in left_out])
        widest = settled(stats, _widened(policy, {k for c in found for k in c.keys}))
        values = [c for c in found if any(widest[k].dtype is DType.I16 for k in c.keys)]
        stuck = [c.place for c in found if not any(c is v for v in values)]
        weights = [*stuck, *(c.place for c in weight_candidates(function, types, forms))]
        goal = target or default_db(function)
        limit, before = 10 ** (-goal / 10), 0.0
        if target is None:
            before = meter.together([*weights, *(c.place for c in values)])
            if before <= limit:
                return types, set(), overrides
        light = meter.together(weights) <= limit / 2
        keys, choices = choose(meter, values, limit if light else limit / 2, weights if light else stuck)
        mixed = choose_types(function, stats, _widened(policy, keys))
        left = [*stuck, *(c.place for c in values if not c.keys & keys)]
        found = weight_candidates(function, mixed, forms)
        wide, more = choose(meter, found, limit, left, share=1.0 if target else MOST_WIDE)
        if target is None:
            after = meter.together([*left, *(c.place for c in found if not c.keys & wide)])
            module.notes.append(too_noisy(before, after, goal))
            if after > NEAR * limit:
                return types, set(), overrides
        module.choices += [*choices, *more]
        return mixed, wide, overrides

    def ensures(self, module: Module) -> None:
        for f in module.functions.values():
            for op in f.ops:
                if any(r.type.dtype.is_float for r in op.results):
                    raise VerifyError(f"a float value is left: {op}")


def _widened(policy: Policy, keys: Collection[int]) -> Policy:
    return replace(policy, precision="mixed", wide=frozenset(keys))


def _settle(function: Function, lowering: Lowering) -> None:
    """A state leaves every call with the integers that it comes with, whatever the op that made it prefers; before the
    first call it is the integer that stands for 0."""
    before = {v.name: v.type for v in function.inputs}
    for i, s in enumerate(function.states):
        quant = before[s.name].quant
        if quant is not None and s.start is None:
            function.states[i] = replace(s, fill=quant.zero_point)
        after = function.outputs[s.after]
        if after.type.quant != before[s.name].quant:
            function.outputs[s.after] = requantized(after, before[s.name], lowering)


def _overrides(text: str, module: Module) -> dict[str, str]:
    """``"node=i16;other=i8"`` by node. Raises UsageError for anything else, and for a node that is not there."""
    chosen: dict[str, str] = {}
    nodes = {op.loc for op in module.ops()}
    for part in filter(None, text.split(";")):
        node, _, width = part.rpartition("=")
        if width not in ("i8", "i16"):
            raise UsageError(f"override '{part}' is not NODE=i8 or NODE=i16")
        if node not in nodes:
            raise UsageError(
                f"override '{part}': no op comes from a node '{node}' when the model is quantized",
                hints=["emberc opt --print-after fuse-qkv shows the nodes as 'loc'"],
            )
        chosen[node] = width
    return chosen
