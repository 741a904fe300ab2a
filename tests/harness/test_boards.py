"""The whole way on the host and on every emulated core."""

from __future__ import annotations

from pathlib import Path

import pytest

from emberc import harness
from emberc.errors import FitError, TargetError, UsageError
from emberc.harness import STRICT_CFLAGS, BuildError, RunError, TestRun
from emberc.targets import load_target, target_names
from tests.harness.conftest import GOLDEN_C, KERNEL_C, MODEL_C, MakeBuild, compilers

EMULATED = [name for name in target_names() if name != "host"]
pytestmark = pytest.mark.board


def run_one(build: Path, name: str) -> TestRun:
    (run,) = harness.test_build(build, [name])
    return run


@pytest.mark.parametrize("name", target_names())
def test_every_vector_is_exact_and_counts_repeat(name: str, make_build: MakeBuild) -> None:
    build = make_build()
    run = run_one(build, name)
    assert run.ok, run.error
    assert (run.on, run.vectors, run.mismatches) == (name, 3, 0)
    again = run_one(build, name)
    assert again.to_json() == run.to_json()
    assert again.functions == run.functions


@pytest.mark.parametrize("name", EMULATED)
def test_profile_holds_firmware_code_alone(name: str, make_build: MakeBuild) -> None:
    run = run_one(make_build(), name)
    assert set(run.functions) == {"doubler_run", "ember_scale_s8"}
    assert run.instructions is not None and run.modelled_cycles is not None
    # Four elements, each loaded, multiplied, stored and tested: tens of instructions, not hundreds.
    assert 30 < run.instructions < 120
    assert run.instructions * 3 == sum(c.instructions for c in run.functions.values())
    assert 0.5 * run.instructions < run.modelled_cycles < 3 * run.instructions


@pytest.mark.parametrize("name", compilers(target_names()))
def test_wrong_element_is_counted(name: str, make_build: MakeBuild) -> None:
    build = make_build(sources={"doubler_golden.c": GOLDEN_C.replace("126, -2", "125, -3")})
    run = run_one(build, name)
    assert not run.ok and run.error is None
    assert run.mismatches == 2


def test_refused_vector_counts_as_mismatch(make_build: MakeBuild) -> None:
    build = make_build(sources={"doubler.c": MODEL_C.replace("return 0;", "return x[0] == 5 ? 4 : 0;")})
    assert [run.mismatches for run in harness.test_build(build, ["host", "cortex-m4"])] == [1, 1]


@pytest.mark.parametrize("name", compilers(target_names()))
def test_image_is_clean_under_strict_flags_and_has_no_forbidden_symbol(
    name: str, make_build: MakeBuild, tmp_path: Path
) -> None:
    target = load_target(name)
    image = harness.build_image(make_build(), target, tmp_path / "work", extra_cflags=STRICT_CFLAGS)
    assert image.elf.is_file()
    if name != "host":
        assert harness.check_symbols(image) == []


@pytest.mark.parametrize("name", compilers(EMULATED))
def test_float_is_found_with_its_user(name: str, make_build: MakeBuild) -> None:
    code = KERNEL_C.replace("(x[i] * w[i])", "((float)x[i] * 2.5f)")
    run = run_one(make_build(sources={"kernels/ember_scale_s8.c": code}), name)
    assert isinstance(run.error, BuildError)
    assert run.error.code == "E-SYMBOLS"
    helpers = "__fixsfsi, __floatsisf, __mulsf3" if name == "rv32" else "__aeabi_f2iz, __aeabi_fmul, __aeabi_i2f"
    assert run.error.message.endswith(f" these: kernels_ember_scale_s8.o: {helpers}")


@pytest.mark.parametrize("name", compilers(EMULATED))
def test_heap_is_found_with_its_user(name: str, make_build: MakeBuild) -> None:
    code = "#include <stdlib.h>\n" + KERNEL_C.replace("x[i] * w[i]", "*(char *)malloc(w[i])")
    run = run_one(make_build(sources={"kernels/ember_scale_s8.c": code}), name)
    assert isinstance(run.error, BuildError)
    assert run.error.code == "E-SYMBOLS"
    assert "kernels_ember_scale_s8.o: malloc" in run.error.message


@pytest.mark.parametrize("name", compilers(target_names()))
def test_sizes_add_up_and_unused_code_is_dropped(name: str, make_build: MakeBuild, tmp_path: Path) -> None:
    target = load_target(name)
    small = harness.build_image(make_build(), target, tmp_path / "small")
    large = harness.build_image(make_build(weights=1256), target, tmp_path / "large")
    assert large.flash_bytes - small.flash_bytes == 1000
    assert large.code_bytes == small.code_bytes
    assert 20 < small.code_bytes < 150
    assert small.static_ram_bytes == 0
    firmware = {o.name for o in small.objects if o.role == "firmware"}
    assert firmware == {"doubler.o", "doubler_weights.o", "kernels_ember_scale_s8.o"}
    assert [o.name for o in small.objects if o.role == "golden"] == ["doubler_golden.o"]


def test_library_members_count_to_the_firmware(make_build: MakeBuild, tmp_path: Path) -> None:
    code = KERNEL_C.replace("x[i] * w[i]", "(1000LL * x[i]) / (500LL + x[3] - x[3] * w[9])")
    build = make_build(sources={"kernels/ember_scale_s8.c": code})
    image = harness.build_image(build, load_target("cortex-m3"), tmp_path / "work")
    members = {o.name for o in image.objects if o.role == "firmware" and ".a(" in o.name}
    assert any("_aeabi_ldivmod" in name for name in members)
    assert any("_udivmoddi4" in name for name in members), "pulled in by another member of the library"


@pytest.mark.parametrize("name", compilers(target_names()))
def test_compile_only_measurement_agrees_with_the_image(name: str, make_build: MakeBuild, tmp_path: Path) -> None:
    target, build = load_target(name), make_build()
    measured = harness.measure_build(build, target)
    image = harness.build_image(build, target, tmp_path / "work")
    # Alignment between sections may fall differently.
    assert abs(measured.code_bytes - image.code_bytes) <= 16
    assert measured.stack_bytes == harness.stack_bytes(build, target)


@pytest.mark.parametrize("name", compilers(EMULATED))
def test_computed_stack_bounds_what_the_run_touches(name: str, make_build: MakeBuild) -> None:
    deep = KERNEL_C.replace("row[64]", "row[2000]").replace("i < 4", "i < 2000").replace("x[i]", "x[i & 3]")
    deep = deep.replace("w[i]", "w[i & 3]").replace("y[i]", "y[i & 3]")
    shallow = run_one(make_build(), name)
    run = run_one(make_build(sources={"kernels/ember_scale_s8.c": deep}), name)
    assert run.ok
    assert run.stack_bytes is not None and shallow.stack_bytes is not None
    assert run.painted_stack_bytes is not None and shallow.painted_stack_bytes is not None
    grown = run.stack_bytes - shallow.stack_bytes
    assert 1900 <= grown <= 2000
    assert run.painted_stack_bytes - shallow.painted_stack_bytes == grown
    assert run.ram_bytes == 100 + 8 + run.stack_bytes


def test_stack_that_runs_full_is_an_error(make_build: MakeBuild) -> None:
    wide = KERNEL_C.replace("row[64]", "row[17000]").replace("i < 4", "i < 17000").replace("[i]", "[i & 3]")
    build = make_build(sources={"kernels/ember_scale_s8.c": wide.replace("row[i & 3]", "row[i]")})
    run = run_one(build, "cortex-m4")
    assert isinstance(run.error, RunError)
    assert "the stack of 16,384 bytes ran full" in run.error.message


@pytest.mark.parametrize(("name", "size"), [("cortex-m4", 4 << 20), ("rv32", 8 << 20)])
def test_overflowing_flash_names_region_and_excess(name: str, size: int, make_build: MakeBuild) -> None:
    build = make_build(weights_bytes=5000000)
    (build / "doubler_weights.c").write_text(
        f'#include "weights.h"\nconst int8_t doubler_weights[256] = {{2, 2, 2, 2}};\n'
        f"const int8_t more[{size}] = {{1}};\nconst int8_t *doubler_more(void);\n"
        "const int8_t *doubler_more(void) { return more; }\n"
    )
    model = MODEL_C.replace("return 0;", "return doubler_more()[7];")
    (build / "doubler.c").write_text(
        model.replace("int doubler_run", "const int8_t *doubler_more(void);\nint doubler_run")
    )
    run, host = harness.test_build(build, [name, "host"])
    assert isinstance(run.error, FitError)
    assert f"the test image does not fit {name}: FLASH overflows by " in run.error.message
    assert run.error.details[0].startswith(f"FLASH: {size:,} bytes available, ")
    assert run.to_json()["error"]["code"] == "E-FIT"
    assert host.ok, "the other targets go on"


def test_overflowing_ram_names_region_and_excess(make_build: MakeBuild) -> None:
    golden = GOLDEN_C.replace("int8_t y[4];", "static int8_t arena[5000000];\n    int8_t *y = &arena[vector];")
    run = run_one(make_build(sources={"doubler_golden.c": golden}), "cortex-m7")
    assert isinstance(run.error, FitError)
    assert "RAM overflows by " in run.error.message


def test_fault_is_reported_with_what_the_board_said(make_build: MakeBuild) -> None:
    fault = MODEL_C.replace("return 0;", "return *(volatile int *)(uintptr_t)0xF0000000u;")
    run = run_one(make_build(sources={"doubler.c": fault}), "cortex-m4")
    assert isinstance(run.error, RunError)
    assert "ember: fault" in run.error.details


def test_endless_loop_meets_the_time_limit(make_build: MakeBuild) -> None:
    endless = MODEL_C.replace("return 0;", "for (volatile int i = 0;; i++) { }")
    build = make_build(sources={"doubler.c": endless})
    (run,) = harness.test_build(build, ["rv32"], timeout=2)
    assert isinstance(run.error, RunError)
    assert run.error.message == "no end after 2 s"


def test_broken_c_shows_the_compilers_words(make_build: MakeBuild) -> None:
    run = run_one(make_build(sources={"doubler.c": MODEL_C.replace("return 0;", "return nothing;")}), "host")
    assert isinstance(run.error, BuildError)
    assert run.error.message.startswith("compiling doubler.c for host failed: cc ended with 1")
    assert any("nothing" in line for line in run.error.details)


def test_progress_tells_target_and_stage(make_build: MakeBuild) -> None:
    seen: list[tuple[str, str]] = []
    harness.test_build(make_build(), ["m4", "host"], progress=lambda name, stage: seen.append((name, stage)))
    assert seen == [(name, stage) for name in ("m4", "host") for stage in ("build", "run", "done")]


def test_host_runs_under_sanitizers(make_build: MakeBuild) -> None:
    flags = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    (run,) = harness.test_build(make_build(), ["host"], extra_cflags=flags)
    assert run.ok, run.error
    overrun = KERNEL_C.replace("volatile int8_t row[64]", "int8_t row[3]")
    (run,) = harness.test_build(make_build(sources={"kernels/ember_scale_s8.c": overrun}), ["host"], extra_cflags=flags)
    assert isinstance(run.error, RunError)
    assert run.error.message == "the test program did not come to its end"


def test_nothing_is_built_for_an_unknown_target(make_build: MakeBuild) -> None:
    seen: list[tuple[str, str]] = []
    with pytest.raises(TargetError, match="unknown target 'cortex-m99'"):
        harness.test_build(make_build(), ["host", "cortex-m99"], progress=lambda *told: seen.append(told))
    assert seen == []


def test_a_folder_that_is_no_build_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a build directory"):
        harness.test_build(tmp_path, ["host"])


def test_vectors_that_the_manifest_does_not_know(make_build: MakeBuild) -> None:
    run = run_one(make_build(vectors=4), "host")
    assert isinstance(run.error, RunError)
    assert run.error.message == "ran 3 vectors, the manifest says 4"


def test_all_expands_once() -> None:
    assert harness.expand_targets(["host", "all", "rv32"]) == target_names()


def test_run_bears_the_targets_name_whatever_it_was_called(make_build: MakeBuild) -> None:
    broken = make_build(sources={"doubler.c": "nonsense\n"})
    assert run_one(broken, "m4").on == "cortex-m4"
    assert run_one(make_build(), "m4").on == "cortex-m4"


def test_accesses_are_counted_by_memory_and_wait_as_the_target_says(make_build: MakeBuild) -> None:
    """One more load of w, which lies in flash, in each of four rounds: four loads more there."""
    target = load_target("stm32h743")
    more = KERNEL_C.replace("x[i] * w[i]", "x[i] * w[i] + 0 * *(volatile const char *)w")
    sources = [{"kernels/ember_scale_s8.c": code} for code in (KERNEL_C, more)]
    one, two = (run_one(make_build(sources=some), "stm32h743") for some in sources)
    assert one.ok and two.ok
    assert two.accesses["INTERNAL"][0] == one.accesses["INTERNAL"][0] + 4, "four elements, a further load in each"
    for run in (one, two):
        waits = sum(
            loads * region.read_wait + stores * region.write_wait
            for region in (*target.ram, *target.flash)
            for loads, stores in [run.accesses[region.name]]
        )
        # Counts are means that are rounded down, waits are rounded once.
        assert run.wait_cycles is not None and 0 <= run.wait_cycles - waits < 64
        assert run.to_json()["wait_cycles"] == run.wait_cycles
    assert run_one(make_build(), "cortex-m7").wait_cycles is None
