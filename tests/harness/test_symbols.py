"""Which names count as heap, soft float or libm."""

from __future__ import annotations

import pytest

from emberc.harness.symbols import forbidden_symbols

FORBIDDEN = [
    *("malloc", "free", "calloc", "realloc", "_malloc_r", "_free_r", "_sbrk"),
    *("__aeabi_fadd", "__aeabi_dmul", "__aeabi_i2f", "__aeabi_ui2d", "__aeabi_l2f", "__aeabi_ul2d", "__aeabi_f2iz"),
    *("__aeabi_d2lz", "__aeabi_cfcmpeq", "__aeabi_dcmplt", "__aeabi_h2f"),
    *("__addsf3", "__muldf3", "__divtf3", "__fixsfsi", "__fixunsdfdi", "__floatsisf", "__floatundidf", "__eqsf2"),
    *("__extendsfdf2", "__truncdfsf2", "__unorddf2", "__negsf2", "__powidf2"),
    *("exp", "expf", "tanhf", "sqrt", "erff", "round", "powl", "exp@GLIBC_2.29"),
]
ALLOWED = [
    *("__aeabi_idiv", "__aeabi_uidiv", "__aeabi_ldivmod", "__aeabi_uldivmod", "__aeabi_lmul", "__aeabi_llsl"),
    *("__aeabi_memcpy", "__aeabi_ldiv0", "__divdi3", "__udivmoddi4", "__muldi3", "__clzsi2", "memcpy", "memset"),
    *("ember_exp_s8", "spam_run", "free_rows", "expected", "main", "rounding", "__floats"),
]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden(name: str) -> None:
    assert forbidden_symbols([name]) == [name]


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name: str) -> None:
    assert forbidden_symbols([name]) == []


def test_sorted_and_each_once() -> None:
    assert forbidden_symbols(["malloc", "exp", "main", "malloc"]) == ["exp", "malloc"]
