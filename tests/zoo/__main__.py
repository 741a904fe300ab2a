"""`python -m tests.zoo NAME [option=value ...]`: build one model and print what the exporter wrote."""

import argparse
import json
from collections import Counter

import onnx

from tests.zoo.build import zoo_model
from tests.zoo.spec import SHAPES


def _value(text: str) -> object:
    """`opset=17` is a number, `dynamic=true` a truth value, everything else stays text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _dims(value: onnx.ValueInfoProto) -> str:
    sizes = [str(dim.dim_param or dim.dim_value) for dim in value.type.tensor_type.shape.dim]
    return f"{value.name}[{', '.join(sizes)}]"


def describe(model: onnx.ModelProto) -> str:
    """Opset, inputs, outputs and how often each op occurs, local functions counted by name."""
    graph = model.graph
    opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
    counts = Counter(node.op_type for node in graph.node)
    return "\n".join(
        [
            f"  opset      {opsets}; {len(model.functions)} local functions",
            f"  inputs     {'  '.join(map(_dims, graph.input))}",
            f"  outputs    {'  '.join(map(_dims, graph.output))}",
            f"  {len(graph.node)} nodes  " + "  ".join(f"{op} {n}" for op, n in sorted(counts.items())),
        ]
    )


def nodes(model: onnx.ModelProto) -> str:
    """One line a node, in file order: outputs = op(inputs) attributes."""
    lines = []
    for node in model.graph.node:
        attributes = " ".join(
            f"{a.name}={onnx.helper.get_attribute_value(a)}"
            for a in node.attribute
            if a.type != onnx.AttributeProto.TENSOR
        )
        lines.append(f"  {', '.join(node.output)} = {node.op_type}({', '.join(node.input)}) {attributes}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo", description=__doc__)
    parser.add_argument("name", choices=sorted(SHAPES))
    parser.add_argument("options", nargs="*", metavar="option=value", help="fields of BuildSpec: exporter=ts opset=17")
    parser.add_argument("--nodes", action="store_true", help="also print every node")
    arguments = parser.parse_args()
    options = {key: _value(text) for key, _, text in (option.partition("=") for option in arguments.options)}
    built = zoo_model(arguments.name, **options)
    model = onnx.load(built.path, load_external_data=False)
    print(f"{built.spec.label()}\n  file       {built.path} ({built.path.stat().st_size:,} bytes)")
    print(describe(model))
    if arguments.nodes:
        print(nodes(model))


if __name__ == "__main__":
    main()
