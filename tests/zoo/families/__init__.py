"""Transformers beyond BERT, one short file a family: a torch module at toy size with shaken weights.

Each file has ``build() -> Family``; ``tests.zoo.family.family_model(name)`` exports it and keeps the file.
"""

#: family -> the module that builds it and the arguments of its ``build``
FAMILIES: dict[str, tuple[str, dict[str, object]]] = {
    "electra": ("electra", {}),
    "electra_discriminator": ("electra", {"discriminator": True}),
    "roberta": ("roberta", {}),
    "nanobert": ("nanobert", {}),
    "nanobert_2mb": ("nanobert", {"published": True}),
    "embbert": ("embbert", {}),
    "embbert_derived": ("embbert", {"derived": True}),
    "embbert_256": ("embbert", {"length": 256, "vocab": 8192, "width": 128, "kernel": 32, "blocks": 4}),
    "gpt": ("gpt", {}),
    "llama": ("llama", {}),
    "mobilebert": ("mobilebert", {}),
    "mobilebert_layernorm": ("mobilebert", {"norm": "layer_norm"}),
    "lora": ("lora", {}),
    "lora_merged": ("lora", {"merged": True}),
    "t5": ("t5", {}),
    "convbert": ("convbert", {}),
    "convbert_groups": ("convbert", {"groups": 2}),
}
