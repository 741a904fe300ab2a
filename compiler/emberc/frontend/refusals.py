"""Collects everything in a model that can't be compiled, so that one error tells it all."""

from __future__ import annotations

from dataclasses import dataclass, field

from emberc.errors import UnsupportedError

_NAMES_SHOWN = 3

#: Why an operator is refused for good, where the reason helps.
REASONS: dict[str, str] = {
    "Unique": "the size of its output depends on the data",
    "NonMaxSuppression": "the size of its output depends on the data",
    "Scan": "its form before opset 9: export with a newer opset",
    "RandomNormal": "random numbers are not reproducible firmware",
    "RandomUniform": "random numbers are not reproducible firmware",
    "RandomNormalLike": "random numbers are not reproducible firmware",
    "RandomUniformLike": "random numbers are not reproducible firmware",
    "Bernoulli": "random numbers are not reproducible firmware",
    "ImageDecoder": "firmware takes pixels, not files",
    "StringNormalizer": "strings are for the host, firmware takes numbers",
    "RegexFullMatch": "strings are for the host, firmware takes numbers",
    "StringConcat": "strings are for the host, firmware takes numbers",
    "StringSplit": "strings are for the host, firmware takes numbers",
    "Multinomial": "random numbers are not reproducible firmware",
}


@dataclass
class Refusals:
    """Operators without an importer, and nodes that their importer refused."""

    missing: dict[str, list[str]] = field(default_factory=dict)
    refused: list[UnsupportedError] = field(default_factory=list)

    def add_missing(self, domain: str, op_type: str, place: str) -> None:
        self.missing.setdefault(f"{domain}::{op_type}" if domain else op_type, []).append(place)

    def raise_if_any(self, label: str) -> None:
        """Raises one UnsupportedError for all of them; one refusal alone is raised as it is."""
        if not self.missing and len(self.refused) == 1:
            raise self.refused[0]
        if not self.missing and not self.refused:
            return
        details = [_line(op, places) for op, places in sorted(self.missing.items(), key=lambda m: -len(m[1]))]
        details += [f"{e.message} (at {e.at})" + "".join(f"; {d}" for d in e.details) for e in self.refused]
        nodes = sum(map(len, self.missing.values())) + len(self.refused)
        ops = ", ".join(self.missing)
        message = (
            f"{len(self.missing)} unsupported operators in {nodes} nodes: {ops}"
            if ops
            else f"{nodes} nodes are not supported"
        )
        if len(self.missing) == 1 and not self.refused:
            message = f"operator {ops} is not supported ({nodes} node{'s' * (nodes > 1)})"
        hints = [h for e in self.refused for h in e.hints]
        if self.missing:
            hints.append("register an importer from your own code: @emberc.importer(op_type, domain=...)")
        raise UnsupportedError(message, at=label, details=details, hints=list(dict.fromkeys(hints)))


def _line(op: str, places: list[str]) -> str:
    shown = ", ".join(places[:_NAMES_SHOWN]) + (", ..." if len(places) > _NAMES_SHOWN else "")
    count = f"{len(places)} node{'s' * (len(places) > 1)}"
    reason = f" ({REASONS[op]})" if op in REASONS else ""
    return f"{op}: {count}: {shown}{reason}"
