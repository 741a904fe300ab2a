"""Models to test with: built from `transformers` configurations with fixed seeds, exported, cached.

Nothing is fetched: `zoo_model(name, ...)` builds a model, gives it weights that no exporter can fold away,
exports it with one of torch's two exporters and keeps the file in a cache outside the checkout.
`python -m tests.zoo bert_2mb` builds one and prints what the exporter wrote.
"""

from tests.zoo.build import ZooModel, zoo_model

__all__ = ["ZooModel", "zoo_model"]
