"""The journey of a model, top to bottom.

    model.onnx ─ import ─ float IR ─ passes ─ integer IR ─ plan ─ emit ─ C ─ measure ─ report

``compile_model`` is that journey, ``_Job.build`` its middle part from float IR to measured C, which ``--fit`` goes
through more than once. Each step is one call into the package that does it; read on from there:
``frontend.import_model``, ``passes.default_pipeline``, ``configure.configure``, ``backend.c.emit``,
``harness.measure_build``. What can be asked for is in ``options.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from emberc.accuracy import FloatModel, measure_accuracy, measure_rolled
from emberc.backend import FunctionPlan
from emberc.backend.c import HeaderInfo, emit, manifest
from emberc.backend.c.build import Files
from emberc.budget import DEFAULT_BUDGET, check_budget
from emberc.configure import Candidate, Candidates, as_given, configure
from emberc.errors import UsageError
from emberc.firmware import Firmware, Reference
from emberc.fit import Build, FitPlan, Fitter, check_plan, fit, read_plan
from emberc.frontend import check_not_empty, import_model, model_hash
from emberc.frontend.states import pair_states, show_states, states_text
from emberc.golden import golden_vectors
from emberc.ir.clone import clone_module
from emberc.ir.graph import Module
from emberc.ir.printer import print_module
from emberc.ir.verifier import verify
from emberc.measure import flash_by_constant, measured_code
from emberc.options import Options, Stages
from emberc.passes import Factorize, PassManager, Pipeline, PruneVocabulary, Quantize, TileRows, default_pipeline
from emberc.passes.explicit_states import prepare_states
from emberc.passes.slide_states import slide_states
from emberc.passes.streaming import stream, streaming_pipeline
from emberc.quant.calibration import CalibrationData, load_calibration, synthetic_calibration
from emberc.quant.sequences import load_sequences
from emberc.quant.vocabulary import load_vocabulary
from emberc.regions import Limits, Regions
from emberc.report.model import Flash, Memory, Ram, Report
from emberc.targets import load_target

#: bytes of stack that a build is taken to need until it is measured
STACK_GUESS = 1024
#: plans made for a stack that was measured: the code of another plan may need a few bytes more of it
_STACK_ROUNDS = 4
#: instructions that ``--fit`` gives for a smaller arena, before it squeezes more weights instead
SLOWDOWN = 1.1


def compile_model(
    model: str | Path | onnx.ModelProto,
    calibration: str | Path | Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> Firmware:
    """Compiles an ONNX model to firmware; nothing is written until ``Firmware.write``.

    ``calibration`` is an .npz path or a dict of arrays, one per input with a leading sample axis; None makes samples
    up. Raises EmberError subclasses only: ModelError, CalibrationError, TargetError, FitError, ...
    """
    options = options or Options()
    stage = Stages(options.began, options.progress)
    target = load_target(options.target)
    limits = Limits(options.budget, options.flash, options.ram, options.regions or {}).checked(target)
    regions = Regions(target, limits, options.placement)

    with stage("import") as did:
        module = _imported(model, options)
        did[0] = f"{len(module.main.ops)} float ops" + states_text(module.main)

    with stage("calibrate") as did:
        floats = FloatModel(model, module.main, options.fix or {})
        data = _calibration(module, calibration, floats)
        want = [floats(s) for s in data.held]
        did[0] = f"{len(data.samples)} samples, {len(data.held)} held back" + (", synthetic" if data.synthetic else "")

    job = _Job(module, model_hash(model), options, data, stage, regions)
    squeezed = None
    if options.fit_plan is not None:
        squeezed = job.saved_plan(options.fit_plan)
    build = job.build(squeezed, any_speed=not options.fit)
    if options.fit and squeezed is None:
        build, squeezed = fit(build, job)
    check_budget(build.module, build.memory, enforced=options.budget is not None or options.fit)
    module = build.module

    with stage("compare") as did:
        if data.sequences:
            accuracy = measure_rolled(module.main, data.held_sequences(), want)
        else:
            accuracy = measure_accuracy(build.reference, data.held, want)
        did[0] = f"{len(data.held)} samples against {floats.name}"

    report = Report(
        model=module.name,
        target=target.name,
        integer_only=not any(r.type.dtype.is_float for op in module.ops() for r in op.results),
        macs=sum(op.cost().macs for op in module.main.ops),
        memory=build.memory,
        accuracy=accuracy,
        accuracy_samples=len(data.held),
        accuracy_reference=floats.name,
        synthetic=data.synthetic,
        ops=dict(sorted(Counter(op.opcode for op in module.ops()).items())),
        layers=list(module.layers),
        choices=list(module.choices),
        largest=flash_by_constant(module),
        notes=list(module.notes),
        stages=stage.done,
        fit=None if squeezed is None else squeezed.to_report(),
    )
    extra = {} if squeezed is None else {"fit_plan.json": squeezed.to_text()}
    return Firmware(module, build.plan, {**build.files, **extra}, report)


@dataclass(frozen=True)
class _Job:
    """What all builds of one compilation have in common: the imported model, its SHA-256, what is asked for."""

    imported: Module
    digest: str
    options: Options
    data: CalibrationData
    stage: Stages
    regions: Regions

    def build(self, squeezed: FitPlan | None, *, any_speed: bool = True) -> Build:
        """Float to measured C, with the weights in the forms of the plan.

        Without ``any_speed`` a total over its limit is not brought down by an arena that costs more than
        ``SLOWDOWN``: a few weights squeezed further are cheaper.
        """
        options, stage = self.options, self.stage
        module = self._fresh()
        module.forms = {} if squeezed is None else squeezed.forms
        pipeline, tiled = self._pipeline(), True
        if not options.streaming and pipeline.passes and pipeline.passes[-1] == TileRows():
            pipeline, tiled = pipeline.before("tile-rows"), False
        with stage("quantize") as did:
            PassManager(pipeline, options.print_after.intersection(pipeline.names())).run(module)
            if options.streaming:
                if module.is_step:
                    slide_states(module.main)
                else:
                    module = stream(module)
                verify(module, after="stream")
            did[0] = f"{sum(1 for _ in module.ops())} integer ops"

        reference = Reference((module.whole or module).main)
        candidates, chosen = self._planned(module, tiled, STACK_GUESS)
        if "tile-rows" in options.print_after and not tiled:
            print(f"// after tile-rows\n{print_module(chosen.module)}")
        build = self._measured(chosen, candidates, reference)
        planned = STACK_GUESS
        for _ in range(_STACK_ROUNDS):
            spread, stack = chosen.plan.memory.spread, build.memory.ram.stack
            guessed = spread is not None and spread.waits and planned == STACK_GUESS
            if not stack or not spread or not (guessed or stack > planned):
                break
            # Not all lies where it waits least: what the stack really leaves of its region counts.
            planned = stack
            candidates, chosen = self._planned(module, tiled, planned)
            build = self._measured(chosen, candidates, reference)
        wanted = chosen.point.instructions
        # The limits count code's stack and all pools together, which are known once a build is measured.
        while excess := build.memory.excess:
            limit = chosen.plan.arena_bytes - excess
            chosen = candidates.choose(options.prefer, limit)
            slow = chosen.point.instructions > SLOWDOWN * wanted and "RAM" not in build.memory.exceeded()
            if chosen.plan.arena_bytes > limit or (slow and not any_speed):
                break
            build = self._measured(chosen, candidates, reference)
        return build

    def _planned(self, module: Module, tiled: bool, stack: int) -> tuple[Candidates, Candidate]:
        """All configurations, and the one that is chosen, with ``stack`` bytes of RAM left for the stack."""
        options, target = self.options, self.regions.target

        def split(plan: FunctionPlan) -> FunctionPlan:
            return self.regions.split(plan, stack)

        with self.stage("plan") as did:
            if tiled:
                candidates = as_given(module, target, options.prefer, split)
            else:
                candidates = configure(module, target, split=split)
            chosen = candidates.choose(options.prefer, self._arena_limit(candidates))
            did[0] = chosen.plan.memory.summary()
        return candidates, chosen

    def _arena_limit(self, candidates: Candidates) -> int | None:
        """What ``--ram`` leaves to the arena, the stack being about a kilobyte; None without a limit."""
        limit = self.regions.limits.ram
        if limit is None or self.options.prefer == "memory":
            return None
        return limit - candidates.tried[0].plan.io_bytes - STACK_GUESS

    def _measured(self, chosen: Candidate, candidates: Candidates, reference: Reference) -> Build:
        """The C of one candidate, compiled and measured."""
        options, regions, stage = self.options, self.regions, self.stage
        module, plan = chosen.module, chosen.plan
        golden = golden_vectors(module, self.data, options.vectors, reference)

        def emitted(code: int) -> Files:
            return emit(
                module,
                plan,
                target=regions.target,
                golden=golden,
                header_info=HeaderInfo(version("emberc"), self.digest),
                name=module.name,
                flash=regions.flash_pools(code),
                placement=options.placement,
            )

        with stage("emit") as did:
            files = emitted(0)
            did[0] = f"{len(files)} files"

        with stage("measure") as did:
            code, stack = measured_code(files, regions.target, module.notes)
            if code and regions.flash_pools(code):
                files = emitted(code)  # constants have what code leaves
            sizes = manifest(files)
            state, constants = sizes["state_bytes"], sizes.get("constants", {})
            memory = Memory(
                Flash(sizes["weights_bytes"], sizes["tables_bytes"], code),
                Ram(plan.arena_bytes, state, stack, plan.io_bytes),
                DEFAULT_BUDGET if options.budget is None else options.budget,
                plan.memory.any_order_bound,
                plan.memory.proved,
                plan.memory,
                regions.limits.pools,
                candidates.curve(chosen),
                regions.uses(plan, constants.get("regions", {}), code or 0, stack or 0, state, plan.io_bytes),
                regions.waits(plan, constants, stack or 0),
            )
            did[0] = f"{memory.total:,} bytes in all"
        return Build(module, plan, files, memory, reference)

    def fitter(self) -> Fitter:
        """The measured table of what every form of every weight costs."""
        with self.stage("fit") as did:
            module = self._float_module()
            assert isinstance(module.calibration, CalibrationData)
            fitter = Fitter(self.digest, module.main, module.calibration.samples)
            did[0] = fitter.measure()
        return fitter

    def saved_plan(self, path: str | Path) -> FitPlan:
        """The plan in a file, checked against the model. Raises UsageError."""
        plan = read_plan(path, self.digest)
        check_plan(plan, self._float_module().main)
        return plan

    def _pipeline(self) -> Pipeline:
        options = self.options
        default = default_pipeline(Quantize(options.observer, options.percentile, options.precision))
        pipeline = options.pipeline or default
        if options.streaming:
            pipeline = streaming_pipeline(pipeline)
        names = pipeline.names()
        if "factorize" in names or "quantize" not in names:
            return pipeline
        return pipeline.insert_before("quantize", PruneVocabulary(), Factorize())

    def _float_module(self) -> Module:
        """The module as it is when weights take their forms."""
        module = self._fresh()
        PassManager(self._pipeline().before("factorize")).run(module)
        return module

    def _fresh(self) -> Module:
        """The float module with its calibration; passes change it, so every build has its own."""
        module = clone_module(self.imported)
        show_states(module.main)
        module.calibration = self.data
        module.target = load_target(self.options.target).name
        module.budget = self.options.budget
        if self.options.vocabulary is not None:
            module.vocabulary = load_vocabulary(self.options.vocabulary)
        prepare_states(module)
        return module


def _imported(model: str | Path | onnx.ModelProto, options: Options) -> Module:
    module = import_model(model, shapes=dict(options.shapes or {}), fix=dict(options.fix or {}), name=options.name)
    check_not_empty(module)
    if options.streaming:
        module.main.states = pair_states(module.main, options.states or {})
    elif options.states:
        raise UsageError("states were named for a model that is not to stream", hints=["add --streaming"])
    return module


def _calibration(
    module: Module, calibration: str | Path | Mapping[str, Any] | None, floats: FloatModel
) -> CalibrationData:
    if module.main.states:
        return load_sequences(calibration, module.main, floats, ignore=module.unread_inputs)
    if calibration is None:
        return synthetic_calibration(module.main)
    return load_calibration(calibration, module.main, ignore=module.unread_inputs)
