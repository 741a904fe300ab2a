"""Numbers, arrays, names and golden vectors as C text."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from backend.support import STRICT, Net, compile_and_run, files_of, run, vectors, write
from emberc.backend.c.constants import ConstantPool
from emberc.backend.c.golden import HASH_MULTIPLIER, GoldenVector, output_hash
from emberc.backend.c.literals import WORDS_FROM, array_text, c_int, initialiser
from emberc.backend.c.naming import Names, c_identifier, comment_text, model_prefix
from emberc.ir.ops.integer_movement import Expand, Gather
from emberc.ir.types import DType


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
@pytest.mark.parametrize("shape", [(), (1,), (3, 7), (2, 129), (17, 80), (300,)])
def test_an_array_keeps_its_numbers_in_narrow_lines(dtype: type[np.integer], shape: tuple[int, ...]) -> None:
    info = np.iinfo(dtype)
    array = np.random.default_rng(0).integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    array = np.where(np.arange(array.size).reshape(shape) == 0, info.min, array).astype(dtype)
    text = array_text(array)
    numbers = [eval(t.replace("LL", "").replace("u", "")) for t in ",".join(text.lines).split(",") if t.strip()]
    assert numbers == array.reshape(-1).tolist() and text.count == array.size and text.nbytes == array.nbytes
    assert max(map(len, text.lines)) <= 100


def test_rows_start_lines_where_they_fit() -> None:
    assert [line.count(",") for line in array_text(np.full((3, 80), -100, np.int8)).lines] == [16] * 15
    assert [line.count(",") for line in array_text(np.full((3, 7), -100, np.int8)).lines] == [14, 7]


def test_large_byte_arrays_are_little_endian_words() -> None:
    array = np.random.default_rng(0).integers(-128, 128, WORDS_FROM + 3).astype(np.int8)
    text = array_text(array)
    words = np.array([int(w, 16) for w in re.findall(r"0x\w{16}", "".join(text.lines))], "<u8")
    assert words.tobytes() == array.tobytes() + b"\0" * 5
    assert text.ctype == "uint64_t" and text.cast == "const int8_t *" and text.nbytes == WORDS_FROM + 8


def test_extreme_integers_compile_without_warnings(tmp_path: Path) -> None:
    values = [0, -1, 2**31 - 1, -(2**31), 2**31, 2**32 - 1, 2**32, -(2**31) - 1, 2**63 - 1, -(2**63), 2**64 - 1]
    checks = "".join(f'    printf("%llu ", (unsigned long long){c_int(v)});\n' for v in values)
    (tmp_path / "t.c").write_text(f"#include <stdio.h>\nint main(void)\n{{\n{checks}    return 0;\n}}\n")
    for compiler in ("gcc", "clang"):
        run([compiler, *STRICT, "t.c", "-o", "t"], tmp_path)
        assert run(["./t"], tmp_path).split() == [str(v % 2**64) for v in values]


def test_initialisers_nest() -> None:
    fields = {"a": [1, -(2**31)], "b": {"x": True, "y": None}, "c": "spam_w"}
    assert initialiser(fields) == "{.a = {1, (-2147483647 - 1)}, .b = {.x = 1, .y = NULL}, .c = spam_w}"


def test_names() -> None:
    names = [c_identifier(n) for n in ("/layer.0/MatMul", "0", "", "int", "a__b", "é")]
    assert names == ["layer_0_MatMul", "n0", "x", "int_", "a_b", "x"]
    assert [model_prefix(n) for n in ("ember", "Ember_math", "spam")] == ["model_ember", "model_Ember_math", "spam"]
    taken = Names()
    assert [taken.take(n) for n in ("a.b", "a_b", "A_B", "a_b_2")] == ["a_b", "a_b_2", "A_B_3", "a_b_2_2"]
    assert comment_text("a*/b/*c??/\n\\é***//") == "a* /b/ *c? ?/?\\?*** //"


def test_equal_arrays_are_stored_once() -> None:
    pool = ConstantPool("spam")
    a = np.arange(300, dtype=np.int16)
    assert pool.add(a, "w.1", "weights") == pool.add(a.copy(), "other", "tables") == "spam_w_1"
    assert pool.add(a[:4], "w.1", "tables") == "spam_w_1_2" and len(pool.arrays) == 2
    assert pool.add(np.arange(300, dtype=np.uint16), "w.1", "weights") == "spam_w_1_3", "another type"
    assert pool.nbytes("weights") == 1200 and pool.nbytes("tables") == 8


def test_the_hash_is_the_loop_that_the_c_runs() -> None:
    array = np.random.default_rng(5).integers(-(2**15), 2**15, (3, 129)).astype(np.int16)
    h = 0
    for byte in array.astype("<i2").tobytes():
        h = (h * HASH_MULTIPLIER + byte + 1) % 2**64
    assert output_hash(array) == h
    assert output_hash(array[:, ::-1]) != h and output_hash(np.zeros((0,), np.int8)) == 0


def test_large_outputs_are_compared_through_their_hash(tmp_path: Path) -> None:
    net = Net()
    net.out(Expand, net.input("x", DType.I16, 3, 1), shape=[3, 70_000])
    module = net.module()
    golden = [GoldenVector(v.inputs, {"y0": v.outputs["y0"].copy()}) for v in vectors(module)]
    build = write(module, tmp_path / "build", golden)
    text = (build / "net_golden.c").read_text()
    assert "2 of the 4 vectors" in text and text.count(" = NULL,") == 2, "2 x 420,000 bytes fit"
    assert "mismatches=0 errors=0" in compile_and_run(build)
    golden[3].outputs["y0"][2, 69_999] ^= 256
    build = write(module, tmp_path / "wrong", golden)
    assert "vector=3 mismatches=1 status=0" in run(["sh", "-c", "make -s test || true"], build)


def test_a_vocabulary_of_bert_tiny_takes_seconds(tmp_path: Path) -> None:
    net = Net()
    word = net.weights(30522, 128, name="word.weight")
    net.out(Gather, word, net.input("ids", DType.I32, 3), axis=0)
    module = net.module()
    golden = vectors(module, [{"ids": np.array([0, 30521, 17], np.int32)}])
    began = time.perf_counter()
    files = files_of(module, golden)
    assert time.perf_counter() - began < 10
    build = write(module, tmp_path / "build", golden)
    began = time.perf_counter()
    assert "mismatches=0 errors=0" in compile_and_run(build)
    assert time.perf_counter() - began < 60, "the limit is 20 s on an idle machine"
    assert len(files["net_weights.c"]) < 12e6
