"""Writes a Hugging Face Marian directory as a CTranslate2 model: the same weights in float32, without torch or transformers.

The decoder starts from the pad token, as the model does, which is kept from being produced.
"""

import json
import pathlib
import struct

import ctranslate2
import numpy as np
from ctranslate2.specs import common_spec, transformer_spec

ACTIVATIONS = {
    "swish": common_spec.Activation.SWISH,
    "relu": common_spec.Activation.RELU,
    "gelu": common_spec.Activation.GELU,
}
DTYPES = {"F32": np.float32, "F16": np.float16}


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin : 8 + length + end]
        tensors[name] = np.frombuffer(raw, DTYPES[entry["dtype"]]).reshape(entry["shape"]).astype(np.float32)
    return tensors


def sinusoids(positions, dim):
    angles = np.array([[p / np.power(10000, 2 * (j // 2) / dim) for j in range(dim)] for p in range(positions)])
    return np.concatenate([np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])], axis=1).astype(np.float32)


class Writer:
    def __init__(self, model_dir):
        model_dir = pathlib.Path(model_dir)
        self.config = json.loads((model_dir / "config.json").read_text())
        self.weights = read_safetensors(model_dir / "model.safetensors")
        vocabulary = json.loads((model_dir / "vocab.json").read_text())
        self.tokens = [token for token, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
        self.pad = self.config["pad_token_id"]
        assert self.config["decoder_start_token_id"] == self.pad

    def linear(self, spec, *names):
        spec.weight = np.concatenate([self.weights[name + ".weight"] for name in names])
        spec.bias = np.concatenate([self.weights[name + ".bias"] for name in names])

    def norm(self, spec, name):
        spec.gamma, spec.beta = self.weights[name + ".weight"], self.weights[name + ".bias"]

    def layer(self, spec, prefix, is_decoder):
        own = prefix + "self_attn."
        self.linear(spec.self_attention.linear[0], own + "q_proj", own + "k_proj", own + "v_proj")
        self.linear(spec.self_attention.linear[1], own + "out_proj")
        self.norm(spec.self_attention.layer_norm, prefix + "self_attn_layer_norm")
        if is_decoder:
            cross = prefix + "encoder_attn."
            self.linear(spec.attention.linear[0], cross + "q_proj")
            self.linear(spec.attention.linear[1], cross + "k_proj", cross + "v_proj")
            self.linear(spec.attention.linear[2], cross + "out_proj")
            self.norm(spec.attention.layer_norm, prefix + "encoder_attn_layer_norm")
        self.linear(spec.ffn.linear_0, prefix + "fc1")
        self.linear(spec.ffn.linear_1, prefix + "fc2")
        self.norm(spec.ffn.layer_norm, prefix + "final_layer_norm")

    def side(self, spec, name, embedding):
        dim = self.config["d_model"]
        spec.scale_embeddings = float(np.sqrt(dim)) if self.config["scale_embedding"] else 1.0
        spec.position_encodings.encodings = sinusoids(self.config["max_position_embeddings"], dim)
        embedding.weight = self.weights["model.shared.weight"]
        for i, layer in enumerate(spec.layer):
            self.layer(layer, f"model.{name}.layers.{i}.", name == "decoder")

    def write(self, output_dir):
        spec = transformer_spec.TransformerSpec.from_config(
            (self.config["encoder_layers"], self.config["decoder_layers"]),
            self.config["encoder_attention_heads"],
            pre_norm=False,
            activation=ACTIVATIONS[self.config["activation_function"]],
        )
        self.side(spec.encoder, "encoder", spec.encoder.embeddings[0])
        self.side(spec.decoder, "decoder", spec.decoder.embeddings)
        spec.decoder.projection.weight = self.weights["model.shared.weight"]
        spec.decoder.projection.bias = self.weights["final_logits_bias"][0].copy()
        spec.decoder.projection.bias[self.pad] = -1e9
        spec.register_source_vocabulary(self.tokens)
        spec.register_target_vocabulary(self.tokens)
        spec.config.eos_token = self.tokens[self.config["eos_token_id"]]
        spec.config.decoder_start_token = self.tokens[self.pad]
        spec.config.unk_token = "<unk>"
        spec.validate()
        spec.optimize()
        pathlib.Path(output_dir).mkdir(parents=True, exist_ok=True)
        spec.save(str(output_dir))
        return self.tokens


def convert(model_dir, output_dir):
    """Returns the tokens by id. The model lands in output_dir."""
    return Writer(model_dir).write(output_dir)
