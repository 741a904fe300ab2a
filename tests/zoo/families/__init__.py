"""Transformers beyond BERT, one short file a family: a torch module at toy size with shaken weights.

Each file has ``build() -> Family``; ``tests.zoo.family.family_model(name)`` exports it and keeps the file.
"""

#: family -> the module that builds it and the arguments of its ``build``
FAMILIES: dict[str, tuple[str, dict[str, object]]] = {
    "electra": ("electra", {}),
    "electra_discriminator": ("electra", {"discriminator": True}),
    "roberta": ("roberta", {}),
    "ibert": ("ibert", {}),
    "ibert_integer": ("ibert", {"integer": True}),
    "nanobert": ("nanobert", {}),
    "nanobert_2mb": ("nanobert", {"published": True}),
    "embbert": ("embbert", {}),
    "embbert_derived": ("embbert", {"derived": True}),
    "embbert_256": ("embbert", {"length": 256, "vocab": 8192, "width": 128, "kernel": 32, "blocks": 4}),
    "gpt": ("gpt", {}),
    "llama": ("llama", {}),
    "mobilebert": ("mobilebert", {}),
    "mobilebert_layernorm": ("mobilebert", {"norm": "layer_norm"}),
    "mobilebert_full": ("mobilebert", {"published": True, "length": 128}),
    "lora": ("lora", {}),
    "lora_merged": ("lora", {"merged": True}),
    "t5": ("t5", {}),
    "convbert": ("convbert", {}),
    "convbert_groups": ("convbert", {"groups": 2}),
    "sentence": ("sentence", {}),
    "sentence_max": ("sentence", {"pooling": "max"}),
    "multihead": ("multihead", {}),
    "clip_text": ("clip", {}),
    "deberta": ("deberta", {}),
    "qwen3": ("qwen3", {}),
    "vit": ("vit", {}),
    "mamba": ("mamba", {}),
    "mamba_causal": ("mamba", {"head": "causal"}),
    "mamba_1": ("mamba", {"length": 1}),
    "mamba_3": ("mamba", {"length": 3}),
    "mamba_17": ("mamba", {"length": 17}),
    "mamba_129": ("mamba", {"length": 129}),
    "mamba_2mb": ("mamba", {"shape": "2mb", "length": 256}),
    "mamba_2mb_128": ("mamba", {"shape": "2mb", "length": 128}),
    "mamba_2mb_64": ("mamba", {"shape": "2mb", "length": 64}),
    "mamba_2mb_16": ("mamba", {"shape": "2mb", "length": 16}),
    "mamba_keywords": ("keywords", {}),
    "mamba_base2": ("mamba", {"shape": "base2", "head": "none", "length": 17}),
    "mamba_base4": ("mamba", {"shape": "base4", "head": "causal", "length": 17}),
    "mamba2": ("mamba", {"shape": "chunked"}),
    "mamba2_one_group": ("mamba2", {"groups": 1}),
    "mamba2_padded": ("mamba2", {"length": 11}),
    "scan": ("scans", {"form": "scan"}),
    "scan_129": ("scans", {"form": "scan", "length": 129}),
    "scan_while_loop": ("scans", {"form": "while_loop"}),
    "scan_scripted": ("scans", {"form": "scripted"}),
    "scan_associative": ("scans", {"form": "associative"}),
    "scan_unrolled": ("scans", {"form": "unrolled"}),
    "scan_step": ("scans", {"form": "step"}),
}

#: what one exporter alone can write: causal masks are aten::diff and torch's own encoder layer is one op, which torch's
#: older one refuses; I-BERT's integer functions are autograd functions, which the newer one refuses
ONLY = {"gpt": "dynamo", "llama": "dynamo", "qwen3": "dynamo", "multihead": "dynamo", "ibert_integer": "ts"}
