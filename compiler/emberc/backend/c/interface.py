"""The model's C interface: for every input and output its field, macros and quantization."""

from __future__ import annotations

from dataclasses import dataclass, field

from emberc.backend.c.literals import c_int, c_type
from emberc.backend.c.naming import Names, comment_text
from emberc.ir.graph import Function
from emberc.ir.types import DType, TensorType
from emberc.ir.values import Constant, Value

#: every state starts at a multiple of this many bytes, as every buffer in the arena does
STATE_ALIGN = 16


@dataclass(frozen=True)
class Port:
    """One input or output as the templates show it.

    ``field`` is its member in the struct of pointers, ``macro`` the stem of its macros, ``meaning`` how its integers
    stand for reals.
    """

    name: str
    field: str
    macro: str
    type: TensorType

    @property
    def ctype(self) -> str:
        return c_type(self.type.dtype)

    @property
    def elements(self) -> int:
        return self.type.elements

    @property
    def size(self) -> int:
        """Bytes of one element: what the buffer must be aligned to."""
        return self.type.dtype.size

    @property
    def shape(self) -> str:
        return f"{self.type.dtype.value}[{', '.join(map(str, self.type.shape))}]"

    @property
    def comment(self) -> str:
        """The ONNX name, type and meaning, safe in a comment."""
        text = f"{comment_text(self.name)}: {self.shape}"
        q = self.type.quant
        if q is None:
            return text + (", 0 or 1" if self.type.dtype is DType.BOOL else "")
        if q.axis is not None:
            return f"{text}, real = scale[i] * (q - zero point), one scale per index of axis {q.axis}"
        return f"{text}, real = scale * (q - zero point)"

    @property
    def macros(self) -> list[tuple[str, str]]:
        """Macro names and values, sizes first. The scale is for the caller: the model itself uses no float."""
        out = [(f"{self.macro}_LEN", f"{self.elements}u")]
        q = self.type.quant
        if q is not None and q.axis is None:
            out += [(f"{self.macro}_SCALE", repr(float(q.scale[0])))]
            zero = q.zero_point
            out += [(f"{self.macro}_ZERO_POINT", f"({zero})" if zero < 0 else c_int(zero))]
        return out


@dataclass(frozen=True)
class StatePort:
    """One state in the caller's context: ``port`` as it is read; ``after`` names the output that it becomes.

    ``in_place``: the op that makes it writes it over the old one, which nothing else reads. Otherwise ``next_<field>``
    takes it until the step is done. Before the first step it is ``start``, or filled with ``fill``. With a ``limit`` it
    counts steps, and the sequence is full when it is reached.
    """

    port: Port
    after: str
    fill: int
    start: Constant | None
    in_place: bool
    limit: int | None

    @property
    def target(self) -> str:
        """The C expression of the buffer that the step writes."""
        return f"ctx->state.{'' if self.in_place else 'next_'}{self.port.field}"


@dataclass(frozen=True)
class Interface:
    """All inputs and outputs of a function, and what it keeps between calls."""

    inputs: list[Port]
    outputs: list[Port]
    states: list[StatePort] = field(default_factory=list)

    @property
    def state_bytes(self) -> int:
        """Bytes of all states, padded as the struct of aligned members is."""
        sizes = [n for s in self.states for n in [s.port.type.nbytes] * (1 if s.in_place else 2)]
        return sum(-(-n // STATE_ALIGN) * STATE_ALIGN for n in sizes)

    @property
    def counter(self) -> StatePort | None:
        """The state that counts steps, of a model that has room for so many only."""
        return next((s for s in self.states if s.limit is not None), None)

    @property
    def missing(self) -> list[str]:
        """C conditions, as many to a line as fit: true when a buffer is missing."""
        return _lines([f"{p} == NULL" for p, _ in self._buffers()])

    @property
    def misaligned(self) -> list[str]:
        """C conditions: true when a buffer of wider elements is not aligned to them."""
        return _lines([f"(uintptr_t){p} % {port.size}u != 0u" for p, port in self._buffers() if port.size > 1])

    def _buffers(self) -> list[tuple[str, Port]]:
        named = [("in", p) for p in self.inputs] + [("out", p) for p in self.outputs]
        return [(f"{side}->{p.field}", p) for side, p in named]

    def fields(self) -> dict[tuple[str, str], str]:
        """("in" or "out", ONNX name) -> the C expression of that buffer."""
        sides = (("in", self.inputs), ("out", self.outputs))
        found = {(side, p.name): f"{side}->{p.field}" for side, ports in sides for p in ports}
        for s in self.states:
            found["in", s.port.name] = f"ctx->state.{s.port.field}"
            found["out", s.after] = s.target
        return found


def _lines(conditions: list[str]) -> list[str]:
    """Conditions joined by ``||`` in lines of about 100 columns."""
    lines: list[str] = []
    for condition in conditions:
        if lines and len(lines[-1]) + len(condition) < 92:
            lines[-1] += f" || {condition}"
        else:
            lines.append(condition)
    return lines


def interface_of(function: Function, prefix: str) -> Interface:
    """Ports of ``function`` in its order; macros start with ``prefix`` in capitals."""
    macros = Names()

    def ports(values: list[tuple[str, Value | Constant]]) -> list[Port]:
        fields = Names()
        return [
            Port(name, fields.take(name), f"{prefix.upper()}_{macros.take(name).upper().strip('_')}", v.type)
            for name, v in values
        ]

    inputs = ports([(v.name or f"in{i}", v) for i, v in enumerate(function.caller_inputs())])
    outputs = ports(list(function.caller_outputs().items()))
    by_name = {v.name: v for v in function.inputs}
    kept = ports([(s.name, by_name[s.name]) for s in function.states])
    states = [
        StatePort(port, s.after, s.fill, s.start, function.in_place(s), s.limit)
        for port, s in zip(kept, function.states, strict=True)
    ]
    return Interface(inputs, outputs, states)
