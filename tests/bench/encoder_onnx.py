"""A BERT or ViT directory of Hugging Face as an ONNX graph, in the shapes that the peers' own fusions look for.

Batch and length are dynamic. Texts come without padding and types, so there is no mask, and type 0 is added to the positions beforehand.
"""

import json
import math
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


class Graph:
    """Nodes and constants in the order they are made; a value is its name."""

    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], []

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, array):
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def linear(self, x, name):
        product = self.op("MatMul", x, self.constant(self.weights[name + ".weight"].T))
        return self.op("Add", product, self.constant(self.weights[name + ".bias"]))

    def layer_norm(self, x, name, epsilon):
        scale, bias = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)

    def gelu(self, x):
        one_plus = self.op("Add", self.op("Erf", self.op("Div", x, self.constant(np.float32(math.sqrt(2))))), self.constant(np.float32(1)))
        return self.op("Mul", self.op("Mul", x, one_plus), self.constant(np.float32(0.5)))

    def attention(self, x, query, key, value, heads, dim):
        def by_head(name, order):
            parts = self.op("Reshape", self.linear(x, name), self.constant(np.array([0, 0, heads, dim // heads])))
            return self.op("Transpose", parts, perm=order)

        q, k, v = by_head(query, [0, 2, 1, 3]), by_head(key, [0, 2, 3, 1]), by_head(value, [0, 2, 1, 3])
        scores = self.op("Div", self.op("MatMul", q, k), self.constant(np.float32(math.sqrt(dim // heads))))
        mixed = self.op("Transpose", self.op("MatMul", self.op("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        return self.op("Reshape", mixed, self.constant(np.array([0, 0, dim])))

    def save(self, path, source, target):
        self.nodes.append(helper.make_node("Identity", [self.nodes[-1].output[0]], [target.name], name="answer"))
        graph = helper.make_graph(self.nodes, "encoder", [source], [target], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def build_bert(graph, config):
    dim, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    weights = graph.weights
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    tokens = graph.op("Slice", graph.op("Shape", "input_ids"), *(graph.constant(np.array([n])) for n in (1, 2)))
    own = graph.op("Slice", graph.constant(positions), graph.constant(np.array([0])), tokens, graph.constant(np.array([0])))
    words = graph.op("Gather", graph.constant(weights["embeddings.word_embeddings.weight"]), "input_ids", axis=0)
    x = graph.layer_norm(graph.op("Add", words, own), "embeddings.LayerNorm", epsilon)
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        mixed = graph.attention(x, *(f"{at}attention.self.{part}" for part in ("query", "key", "value")), heads, dim)
        x = graph.layer_norm(graph.op("Add", graph.linear(mixed, at + "attention.output.dense"), x), at + "attention.output.LayerNorm", epsilon)
        inner = graph.gelu(graph.linear(x, at + "intermediate.dense"))
        x = graph.layer_norm(graph.op("Add", graph.linear(inner, at + "output.dense"), x), at + "output.LayerNorm", epsilon)


def build_vit(graph, config):
    dim, heads, epsilon = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    patch, weights = config["patch_size"], graph.weights
    projection = "vit.embeddings.patch_embeddings.projection"
    planes = graph.op("Conv", "pixel_values", *(graph.constant(weights[f"{projection}.{part}"]) for part in ("weight", "bias")),
                      kernel_shape=[patch, patch], strides=[patch, patch])
    patches = graph.op("Transpose", graph.op("Reshape", planes, graph.constant(np.array([0, dim, -1]))), perm=[0, 2, 1])
    batch = graph.op("Slice", graph.op("Shape", "pixel_values"), *(graph.constant(np.array([n])) for n in (0, 1)))
    shape = graph.op("Concat", batch, graph.constant(np.array([1, dim])), axis=0)
    own = graph.op("Expand", graph.constant(weights["vit.embeddings.cls_token"]), shape)
    x = graph.op("Add", graph.op("Concat", own, patches, axis=1), graph.constant(weights["vit.embeddings.position_embeddings"]))
    for i in range(config["num_hidden_layers"]):
        at = f"vit.encoder.layer.{i}."
        normed = graph.layer_norm(x, at + "layernorm_before", epsilon)
        mixed = graph.attention(normed, *(f"{at}attention.attention.{part}" for part in ("query", "key", "value")), heads, dim)
        x = graph.op("Add", graph.linear(mixed, at + "attention.output.dense"), x)
        inner = graph.gelu(graph.linear(graph.layer_norm(x, at + "layernorm_after", epsilon), at + "intermediate.dense"))
        x = graph.op("Add", graph.linear(inner, at + "output.dense"), x)
    x = graph.layer_norm(x, "vit.layernorm", epsilon)
    first = graph.op("Gather", x, graph.constant(np.int64(0)), axis=1)
    graph.linear(first, "classifier")


def write_onnx(model_dir, path):
    """Writes the graph of a BertModel or a ViTForImageClassification; other classes are refused."""
    model_dir = pathlib.Path(model_dir)
    config = json.loads((model_dir / "config.json").read_text())
    graph = Graph(load_file(model_dir / "model.safetensors"))
    if config["hidden_act"] != "gelu":
        raise SystemExit(f"{model_dir}: hidden_act {config['hidden_act']}: only gelu is written as ONNX")
    if config["architectures"] == ["BertModel"]:
        build_bert(graph, config)
        source = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
        target = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])
    elif config["architectures"] == ["ViTForImageClassification"]:
        build_vit(graph, config)
        size = config["image_size"]
        source = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, size, size])
        target = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(config["id2label"])])
    else:
        raise SystemExit(f"{model_dir}: {config['architectures']}: only BertModel and ViTForImageClassification are written as ONNX")
    graph.save(path, source, target)


def write_fused(model_dir, plain_path, path):
    """ONNX Runtime's own offline fusions for transformers (Attention, SkipLayerNormalization, ...). Returns what was fused."""
    from onnxruntime.transformers.optimizer import optimize_model

    config = json.loads((pathlib.Path(model_dir) / "config.json").read_text())
    model = optimize_model(plain_path, model_type=config["model_type"], num_heads=config["num_attention_heads"],
                           hidden_size=config["hidden_size"], opt_level=0)
    model.save_model_to_file(path)
    return {kind: count for kind, count in model.get_fused_operator_statistics().items() if count}
