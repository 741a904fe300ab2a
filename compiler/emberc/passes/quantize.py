"""quantize: float IR and calibration data to integer IR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

from emberc.errors import UnsupportedError, UsageError, VerifyError
from emberc.ir.graph import Function, Module
from emberc.ir.types import TensorType
from emberc.passes.lower import LOWERINGS, Lowering
from emberc.passes.lower.elementwise import requantized
from emberc.passes.manager import Pass
from emberc.passes.squeezable import squeezable
from emberc.quant.calibration import CalibrationData, observe, synthetic_calibration
from emberc.quant.layers import measure_layers
from emberc.quant.noise import Meter
from emberc.quant.observers import Statistics
from emberc.quant.precision import Policy, choose_types, parse_precision, prescribed
from emberc.quant.scan import scan_types
from emberc.quant.scan_ranges import ScanObserver
from emberc.quant.states import share_statistics, state_values, tie_states
from emberc.quant.widen import INT16_DB, choose, value_candidates, weight_candidates


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
            stats = observe(function, data.samples, histograms=self.observer != "minmax", also=seen.see)
            if data.complete:
                for seen_values in stats.values():
                    seen_values.rows = 0
            share_statistics(function, stats)
            forms = {id(w.value): module.forms[w.name] for w in squeezable(function) if w.name in module.forms}
            types, wide, fixed = self._types(module, function, data, stats, forms)
            scans = scan_types(function, types, stats, seen, fixed, wide)
            tie_states(function, types)
            lowering = Lowering(types, forms, scans, seen.convs, wide)
            module.functions[name] = lowering.run(function)
            _settle(module.functions[name], lowering)
            if function is main:
                module.layers = measure_layers(main, module.functions[name], lowering.values, data.held)
        module.main.prune()
        return True

    def _types(
        self,
        module: Module,
        function: Function,
        data: CalibrationData,
        stats: dict[int, Statistics],
        forms: Collection[int],
    ) -> tuple[dict[int, TensorType], set[int], Collection[str]]:
        """The integer types, the weights that get 16 bits, and the nodes whose types the user chose."""
        precision, target = parse_precision(self.precision)
        overrides, states = _overrides(self.overrides, module), state_values(function)
        policy = Policy(self.observer, self.percentile, precision, overrides, whole=states)
        types = choose_types(function, stats, policy)
        if precision == "int8":
            return types, set(), policy.overrides
        meter, limit = Meter(function, data.samples), 10 ** (-INT16_DB / 10)
        if target is not None:
            limit = 10 ** (-target / 10) / 2
            fixed = prescribed(function)
            values, choices = choose(meter, value_candidates(function, types, fixed), limit)
            module.choices += choices
            types = choose_types(function, stats, replace(policy, wide=frozenset(values)))
        wide, choices = choose(meter, weight_candidates(function, types, forms), limit)
        module.choices += choices
        return types, wide, policy.overrides

    def ensures(self, module: Module) -> None:
        for f in module.functions.values():
            for op in f.ops:
                if any(r.type.dtype.is_float for r in op.results):
                    raise VerifyError(f"a float value is left: {op}")


def _settle(function: Function, lowering: Lowering) -> None:
    """A state leaves every call with the integers that it comes with, whatever the op that made it prefers."""
    before = {v.name: v.type for v in function.inputs}
    for s in function.states:
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
