"""Static shapes, symbols and fixed inputs."""

import numpy as np
import pytest

from emberc.errors import ModelError, UsageError
from emberc.frontend import import_model
from tests.frontend.models import model, run

TWO = "(int64[batch,sequence] ids, int64[batch,sequence] mask) => (int64[batch,sequence] y) { y = Mul (ids, mask) }"


def test_symbolic_dimension() -> None:
    text = "(int64[1,sequence] input_ids) => (int64[1,sequence] y) { y = Neg (input_ids) }"
    with pytest.raises(ModelError) as e:
        import_model(model(text), name="model.onnx")
    assert str(e.value) == (
        "error[E-SHAPE]: input 'input_ids' has a symbolic dimension 'sequence'\n"
        "  at   model.onnx: graph input 'input_ids' [1, sequence]\n"
        "  firmware needs every size at compile time\n"
        "  try  emberc compile model.onnx --shape input_ids=1x128"
    )


def test_all_symbolic_inputs_at_once_and_the_shortest_hint() -> None:
    with pytest.raises(ModelError) as e:
        import_model(model(TWO), name="m.onnx")
    assert str(e.value) == (
        "error[E-SHAPE]: 2 inputs have symbolic dimensions: batch, sequence\n"
        "  at   m.onnx: graph input 'ids' [batch, sequence]\n"
        "       m.onnx: graph input 'mask' [batch, sequence]\n"
        "  firmware needs every size at compile time\n"
        "  try  emberc compile m.onnx --shape ids=1x128"
    )


def test_a_symbol_counts_for_every_input() -> None:
    module = import_model(model(TWO), shapes={"mask": (1, 7)})
    assert [v.shape for v in module.main.inputs] == [(1, 7), (1, 7)]


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({"ids": (1, 7), "mask": (1, 8)}, "dimension 'sequence' is 7 in input 'ids' and 8 in input 'mask'"),
        ({"ids": (1, 7, 1)}, "has 2 dimensions, 1x7x1 has 3"),
        ({"id": (1, 7)}, "the model has no input 'id'"),
        ({"ids": (1, -7)}, "negative"),
    ],
)
def test_wrong_shapes(shapes: dict[str, tuple[int, ...]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        import_model(model(TWO), shapes=shapes)


def test_unknown_name_lists_the_inputs() -> None:
    with pytest.raises(UsageError) as e:
        import_model(model(TWO), fix={"token_type_ids": 0})
    assert e.value.hints == ["its inputs are 'ids' [batch, sequence], 'mask' [batch, sequence]"]


def test_static_size_is_not_overridden() -> None:
    with pytest.raises(UsageError, match="fixed to 3 in the model, 1x4 contradicts it"):
        import_model(model("(float[1,3] x) => (float[1,3] y) { y = Neg (x) }"), shapes={"x": (1, 4)})


def test_fix_with_a_number_and_with_an_array() -> None:
    ids = np.array([[4, 5, 6]])
    (y,) = run(model(TWO), {"ids": ids}, shapes={"ids": (1, 3)}, fix={"mask": 2})
    np.testing.assert_array_equal(y, [[8, 10, 12]])
    (y,) = run(model(TWO), {"ids": ids}, fix={"mask": [[1, 0, 1]]})  # an array settles the symbols too
    np.testing.assert_array_equal(y, [[4, 0, 6]])


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.5, "does not fit it"), ([1, 2], "2 dimensions, 2 has 1"), ("one", "give a number"), ([[1, 2]], "sequence")],
)
def test_wrong_fix(value: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        import_model(model(TWO), shapes={"ids": (1, 3)}, fix={"mask": value})


def test_unread_input_is_dropped_with_a_note_and_needs_no_shape() -> None:
    text = "(float[2] x, float[n] unused) => (float[2] y) { y = Neg (x)  z = Neg (unused) }"
    module = import_model(model(text))
    assert [v.name for v in module.main.inputs] == ["x"]
    assert module.notes == ["input 'unused' is not read by any output: dropped from the signature"]


def test_input_of_which_only_the_shape_is_read_is_dropped() -> None:
    text = "(float[2] x, float[n] like) => (float[m] y) { s = Shape (like)  y = Expand (x, s) }"
    module = import_model(model(text), shapes={"like": (2,)})
    assert [v.name for v in module.main.inputs] == ["x"]
    assert module.main.outputs["y"] is module.main.inputs[0]
    assert not module.main.ops


def test_sequence_input_is_refused() -> None:
    with pytest.raises(ModelError, match="input 's' is a sequence, not a tensor"):
        import_model(
            model("(seq(float[2]) s) => (float[2] y) { i = Constant <value_int = 0> ()  y = SequenceAt (s, i) }")
        )
