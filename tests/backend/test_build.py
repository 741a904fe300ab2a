"""The build directory of a small encoder: builds on its own, tells what it does, says no to wrong calls."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from backend.encoder import encoder, samples
from backend.support import INFO, STRICT, Net, compile_and_run, files_of, run, vectors, write
from emberc.backend.c import GoldenVector, emit, manifest, plan_for, without_contents, write_files
from emberc.errors import InternalError, UnsupportedError, UsageError
from emberc.harness import measure_build
from emberc.ir.op import operand, result
from emberc.ir.ops.integer_base import IntegerOp
from emberc.ir.ops.integer_table import Table
from emberc.ir.types import DType, TensorType
from emberc.targets import load_target


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module = encoder()
    return write(module, tmp_path_factory.mktemp("encoder") / "build", vectors(module, samples()))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_encoder_gives_the_references_bits(build: Path, compiler: str) -> None:
    assert "ember: done vectors=4 mismatches=0 errors=0" in compile_and_run(build, compiler)


def test_a_wrong_bit_is_found(tmp_path: Path) -> None:
    module = encoder()
    golden = vectors(module, samples())
    golden[2].outputs["logits"][0, 1] ^= 1
    build = write(module, tmp_path / "build", golden)
    assert "vector=2 mismatches=1 status=0" in run(["sh", "-c", "make -s test || true"], build)


def test_make_builds_and_tests_it(build: Path) -> None:
    assert "mismatches=0 errors=0" in run(["make", "-s", "test", f"CFLAGS={' '.join(STRICT)}"], build)
    run(["make", "-s", "clean"], build)


def test_cmake_builds_and_tests_it(build: Path, tmp_path: Path) -> None:
    run(["cmake", "-S", str(build), "-B", str(tmp_path), "-DCMAKE_C_FLAGS=-Werror"], tmp_path)
    run(["cmake", "--build", str(tmp_path)], tmp_path)
    assert "100% tests passed" in run(["ctest"], tmp_path)


CALLER = """
#include "spam.h"
#include <cstdio>
EMBER_ALIGN(SPAM_ARENA_ALIGN) static unsigned char arena[SPAM_ARENA_BYTES + 1];
int main()
{
    int32_t ids[SPAM_INPUT_IDS_LEN] = {0}, mask[SPAM_ATTENTION_MASK_LEN] = {1};
    int8_t logits[SPAM_LOGITS_LEN];
    const double real = SPAM_LOGITS_SCALE * (0 - SPAM_LOGITS_ZERO_POINT);
    spam_ctx ctx;
    spam_inputs in = {ids, mask}, none = {nullptr, mask};
    spam_outputs out = {logits}, nowhere = {nullptr};
    std::printf("%d %d %d %d ", spam_init(nullptr, arena, SPAM_ARENA_BYTES), spam_init(&ctx, nullptr, SPAM_ARENA_BYTES),
                spam_init(&ctx, arena + 1, SPAM_ARENA_BYTES), spam_init(&ctx, arena, SPAM_ARENA_BYTES - 1));
    std::printf("%d ", spam_run(&ctx, &in, &out));
    std::printf("%d ", spam_init(&ctx, arena, SPAM_ARENA_BYTES));
    std::printf("%d %d %d %d ", spam_run(&ctx, &in, &out), spam_run(nullptr, &in, &out), spam_run(&ctx, &none, &out),
                spam_run(&ctx, &in, &nowhere));
    ids[3] = 129;
    std::printf("%d ", spam_run(&ctx, &in, &out));
    ids[3] = -1;
    std::printf("%d ", spam_run(&ctx, &in, &out));
    in.input_ids = (const int32_t *)((const char *)ids + 1);
    std::printf("%d %.4f\\n", spam_run(&ctx, &in, &out), real);
}
"""


def test_a_cpp_caller_gets_statuses(build: Path, tmp_path: Path) -> None:
    caller = tmp_path / "caller.cpp"
    caller.write_text(CALLER)
    run(["make", "-s"], build)
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(build), "-I", str(build / "include")]
    run(["g++", *warnings, "-o", "caller", str(caller), str(build / "libspam.a")], tmp_path)
    null, align, out_of_range, arena = 1, 2, 3, 4
    good = [null, null, align, arena, null, 0, 0, null, null, null, out_of_range, out_of_range, align, "0.1251"]
    assert run(["./caller"], tmp_path).split() == [str(g) for g in good]
    run(["make", "-s", "clean"], build)


def test_each_call_has_a_comment_with_node_shapes_and_places(build: Path) -> None:
    text = (build / "spam.c").read_text()
    assert re.search(
        r"    /\* /layer.0/attention/qkv   q\.matmul   x i8\[1,7,8\] arena (0x\w+), w i8\[24,8\] flash -> "
        r"y i8\[1,7,24\] arena (0x\w+) \*/\n    ember_matmul_s8\(AT\(\1\), AT\(\2\), NULL, &spam_p5\);\n",
        text,
    )
    assert re.search(r"/layer.0/Add   q\.add [^/]*arena 0x\w+ in place over x \*/\n    ember_add_s16s8\(", text)
    assert re.search(r"/layer.0/attention   q\.attention [^/]* scratch 0x\w+ \(16 bytes\) \*/", text)
    assert re.search(r"q\.reshape [^/]*-> y bool\[1,1,1,7\] arena 0x\w+ \(the same bytes\) \*/\n\n", text)
    assert re.search(r"/classifier   q\.matmul [^/]*-> y i8\[1,1,2\] out logits \*/\n    ember_matmul_s8\(AT", text)
    body = text[text.index("int spam_run(") :]
    calls = [line for line in body.splitlines() if re.match(r"    (status = )?ember_", line)]
    assert len(calls) == len(re.findall(r"\bember_\w+\(", body)), "one call a line"
    assert max(map(len, text.splitlines())) <= 120


def test_the_header_tells_version_model_target_and_memory(build: Path) -> None:
    banner = (build / "spam.h").read_text().split("*/")[0]
    assert "emberc 0.1.0" in banner and "sha256:0123456789abcdef" in banner and "host (this machine" in banner
    assert "arena   384 bytes, proved" in banner


def test_only_used_kernels_are_copied_and_the_manifest_lists_all(build: Path) -> None:
    files = {
        p.relative_to(build).as_posix() for p in build.rglob("*") if p.is_file() and p.suffix not in (".out", ".a")
    }
    kernels = {f for f in files if f.startswith("kernels/") and f.endswith(".c")}
    called = set(re.findall(r"\b(ember_\w+)\(", (build / "spam.c").read_text()))
    assert kernels == {f"kernels/{name}.c" for name in called}
    found = manifest(files_of(encoder(), vectors(encoder(), samples())))
    assert set(found["files"]) == files
    assert set(found["sources"]) == kernels | {"spam.c", "spam_weights.c"}
    assert found["entry"] == "spam_run" and found["vectors"] == 4 and found["arena_bytes"] == 384
    assert found["io_bytes"] == 2 * 7 * 4 + 2
    weights, text = 0, (build / "spam_weights.h").read_text()
    for bits, count in re.findall(r"const int(\d+)_t \w+\[(\d+)\]", text):
        weights += int(bits) // 8 * int(count)
    assert found["weights_bytes"] + found["tables_bytes"] == weights
    assert found["tables_bytes"] == 833 * 2 + 256


def test_the_same_model_gives_the_same_bytes() -> None:
    once, again = (files_of(encoder(), vectors(encoder(), samples())) for _ in range(2))
    assert once == again
    here = str(Path(__file__).parents[2])
    assert not [name for name, text in once.items() if here in str(text)]


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_without_contents_a_build_measures_the_same(target: str, tmp_path: Path) -> None:
    files = files_of(encoder(), vectors(encoder(), samples()))
    blank = without_contents(files)
    (name,) = [n for n in files if blank[n] != files[n]]
    assert not re.search(r"^ {4}.*[1-9]", str(blank[name]), re.M)
    write_files(files, tmp_path / "whole")
    write_files(blank, tmp_path / "blank")
    board = load_target(target)
    assert measure_build(tmp_path / "whole", board) == measure_build(tmp_path / "blank", board)


def test_a_kernel_without_emitter_is_named_with_all_its_nodes() -> None:
    class Bare(IntegerOp):
        """y = x"""

        opcode = "test.bare"
        x = operand(DType.I8)
        y = result()

        def infer(self) -> list[TensorType]:
            return [self.x.type]

    net = Net()
    x = net.input("x", DType.I8, 3)
    net.out(Bare, net.add(Bare, x, loc="/first"), loc="/second")
    with pytest.raises(UnsupportedError, match=r"no emitter for test\.bare") as caught:
        plan_for(net.module().main, load_target("host"))
    assert caught.value.details == ["test.bare x2: /first, /second"]


def _table_net() -> Net:
    net = Net()
    net.out(Table, net.input("x", DType.I8, 3), net.weights(256))
    return net


def test_a_vector_that_is_not_the_models_is_refused() -> None:
    module = _table_net().module()
    wrong = GoldenVector({"x": np.zeros(4, np.int8)}, {"y0": np.zeros(3, np.int8)})
    with pytest.raises(InternalError, match=r"has int8\[4\] for 'x', the model has i8\[3\]"):
        files_of(module, [wrong])
    with pytest.raises(UsageError, match="at least one golden vector"):
        files_of(module, [])


@pytest.mark.parametrize("name", ["ember", "int", "2.layer-BERT", "Üb*/er"])
def test_any_model_name_compiles(name: str, tmp_path: Path) -> None:
    module = _table_net().module(name)
    build = write(module, tmp_path / "build")
    assert "mismatches=0" in compile_and_run(build, "clang")
    assert (build / "include" / "ember.h").is_file()


def test_awkward_names_of_inputs_and_nodes_compile(tmp_path: Path) -> None:
    net = Net()
    values = [net.input(n, DType.I8, 3) for n in ("in", "class", "a.b", "A_b", "arena", "9")]
    table = net.const(np.arange(256) - 128, np.int8, "/*??/")
    for i, v in enumerate(values):
        net.outputs[["in", "out", "vectors", "ctx", "hash", "x/y"][i]] = net.add(Table, v, table, loc="*/ ??/\\")
    build = write(net.module(), tmp_path / "build")
    assert "vectors=4 mismatches=0 errors=0" in compile_and_run(build)


def test_the_target_is_named() -> None:
    module = _table_net().module()
    target = load_target("cortex-m7")
    files = emit(
        module, plan_for(module.main, target), target=target, golden=vectors(module),
        header_info=INFO, name="m",
    )  # fmt: skip
    assert manifest(files)["target"] == "cortex-m7"
