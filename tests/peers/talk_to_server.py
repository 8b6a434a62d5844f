#!/usr/bin/env python3
"""Talks to a running server with tritonclient, grpcio-health-checking and grpcio-reflection, all unchanged, prints
what they say, and fails where it is not what it must be.

Usage: talk_to_server.py HOST:PORT IMAGE   (a server with the models of models/)
"""
import sys
import time

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

TRANSLATOR, EMBEDDER, CLASSIFIER, VIT = "translate-en-de", "embed-en-de", "classify-language", "classify-cifar10"
MODELS = (TRANSLATOR, EMBEDDER, CLASSIFIER, VIT)


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def refused(call):
    """The error of a call that must fail."""
    try:
        call()
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"
    sys.exit("FAILED: a call that must be refused was answered")


def bytes_input(name, elements, shape=None):
    tensor = triton.InferInput(name, shape or [len(elements)], "BYTES")
    tensor.set_data_from_numpy(np.array(elements, dtype=np.object_).reshape(shape or [len(elements)]))
    return tensor


def show_health(address):
    print("== grpcio-health-checking")
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        names = ["", "inference.GRPCInferenceService"] + [f"models/{model}" for model in MODELS]
        for name in names:
            status = stub.Check(health_pb2.HealthCheckRequest(service=name)).status
            print(f"Check({name!r}): {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}")
            expect(status == health_pb2.HealthCheckResponse.SERVING, f"health of {name!r}")


def wait_until_ready(client):
    for _ in range(600):
        try:
            if client.is_server_ready():
                return
        except InferenceServerException:
            pass
        time.sleep(0.1)
    sys.exit("FAILED: the server does not become ready")


def show_reflection(address):
    print("== grpcio-reflection")
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        services = sorted(database.get_services())
        print("\n".join(services))
        expect("inference.GRPCInferenceService" in services, "the service is listed")
        file = database.FindFileContainingSymbol("inference.GRPCInferenceService")
        print("described in", file.name)


def show_server(client):
    print("== tritonclient: server and models")
    print("is_server_live:", client.is_server_live())
    print("is_server_ready:", client.is_server_ready())
    print("is_model_ready:", {name: client.is_model_ready(name) for name in MODELS + ("nobody",)})
    expect(client.is_server_live() and client.is_server_ready(), "live and ready")
    expect(all(client.is_model_ready(name) for name in MODELS) and not client.is_model_ready("nobody"), "ready models")
    metadata = client.get_server_metadata()
    print("get_server_metadata:", metadata.name, metadata.version, list(metadata.extensions))
    for name in MODELS:
        model = client.get_model_metadata(name)
        tensors = [f"{t.name} {t.datatype} {list(t.shape)}" for t in list(model.inputs) + list(model.outputs)]
        print(f"get_model_metadata({name!r}): {model.platform} versions {list(model.versions)}: {', '.join(tensors)}")
    config = client.get_model_config(TRANSLATOR).config
    print("get_model_config:", config.backend, "max_batch_size", config.max_batch_size,
          "priority_levels", config.dynamic_batching.priority_levels)
    expect(config.max_batch_size > 0 and config.input[0].name == "text", "configuration")
    print("get_model_repository_index:", [(m.name, m.version, m.state) for m in
                                          client.get_model_repository_index().models])
    expect(len(client.get_model_repository_index().models) == len(MODELS), "index")


def show_translation(client):
    print("== tritonclient: translation")
    texts = ["I would like to learn German.", "Where is the station?"]
    result = client.infer(TRANSLATOR, [bytes_input("text", [text.encode() for text in texts])], request_id="42")
    print("infer:", [text.decode() for text in result.as_numpy("translation")[:, 0]], result.as_numpy("score")[:, 0])
    expect(result.get_response().id == "42" and result.as_numpy("translation").shape == (2, 1), "id and shape")
    best = client.infer(TRANSLATOR, [bytes_input("text", [texts[0].encode()], [1, 1])],
                        outputs=[triton.InferRequestedOutput("translation")], priority=1, timeout=30_000_000,
                        parameters={"beam_size": 4, "num_hypotheses": 3, "length_penalty": 0.8})
    print("n-best:", [text.decode() for text in best.as_numpy("translation")[0]])
    expect(best.as_numpy("translation").shape == (1, 3) and best.as_numpy("score") is None, "hypotheses")
    compressed = client.infer(TRANSLATOR, [bytes_input("text", [texts[0].encode()])], compression_algorithm="gzip")
    expect(compressed.as_numpy("translation")[0, 0] == result.as_numpy("translation")[0, 0], "gzip")


def show_encoders(client, image):
    print("== tritonclient: embeddings and classes")
    texts = [b"Where did you buy this book?", "Wo hast du dieses Buch gekauft?".encode(), b"It will rain tomorrow."]
    vectors = client.infer(EMBEDDER, [bytes_input("text", texts)], parameters={"normalize": True}).as_numpy("embedding")
    print("embedding:", vectors.shape, vectors.dtype, "cosines", np.round(vectors @ vectors[0], 3))
    expect(vectors.shape == (3, 192) and vectors[1] @ vectors[0] > 0.5 > vectors[2] @ vectors[0], "cosines")
    top2 = [triton.InferRequestedOutput("probabilities", class_count=2)]
    classes = client.infer(CLASSIFIER, [bytes_input("text", ["Je voudrais un café.".encode()])], outputs=top2)
    print("classification of a text:", [c.decode() for c in classes.as_numpy("probabilities")[0]])
    expect(classes.as_numpy("probabilities")[0, 0].decode().endswith(":fr"), "language")
    picture = client.infer(VIT, [bytes_input("image", [image])], outputs=top2)
    print("classification of an image:", [c.decode() for c in picture.as_numpy("probabilities")[0]])
    expect(picture.as_numpy("probabilities")[0, 0].decode().endswith(":cat"), "picture")
    whole = client.infer(VIT, [bytes_input("image", [image, image])])
    shapes = {name: whole.as_numpy(name).shape for name in ("embedding", "logits", "probabilities")}
    print("all outputs of two images:", shapes)
    expect(shapes == {"embedding": (2, 192), "logits": (2, 10), "probabilities": (2, 10)}, "shapes")


def show_asynchronous(client):
    print("== tritonclient: 32 asynchronous calls")
    answers = []
    for i in range(32):
        client.async_infer(CLASSIFIER, [bytes_input("text", [f"This is sentence {i}.".encode()])],
                           callback=lambda result, error: answers.append((result, error)))
    for _ in range(600):
        if len(answers) == 32:
            break
        time.sleep(0.1)
    expect(len(answers) == 32 and all(error is None for _, error in answers), "32 answers")
    print(len(answers), "answers")


def show_errors(client):
    print("== tritonclient: what is refused")
    text = [bytes_input("text", [b"Hello."])]
    for what, call in {
            "unknown model": lambda: client.infer("nobody", text),
            "unknown input": lambda: client.infer(TRANSLATOR, [bytes_input("txt", [b"Hello."])]),
            "unknown output": lambda: client.infer(TRANSLATOR, text, outputs=[triton.InferRequestedOutput("logits")]),
            "unknown parameter": lambda: client.infer(TRANSLATOR, text, parameters={"beams": 4}),
            "broken image": lambda: client.infer(VIT, [bytes_input("image", [b"GIF89a"])]),
            "timeout": lambda: client.infer(TRANSLATOR, [bytes_input("text", [b"A day at the sea. " * 300])],
                                            parameters={"beam_size": 8}, timeout=20_000),
    }.items():
        print(f"{what}: {refused(call)}")


def show_statistics(client):
    print("== tritonclient: statistics")
    statistics = client.get_inference_statistics(TRANSLATOR).model_stats[0]
    print(f"{statistics.name} version {statistics.version}: {statistics.inference_count} inputs in "
          f"{statistics.execution_count} steps; {statistics.inference_stats.success.count} calls answered, "
          f"{statistics.inference_stats.fail.count} refused or failed")
    expect(statistics.inference_count >= 4 and statistics.inference_stats.fail.count >= 3, "statistics")


def main():
    address, image_file = sys.argv[1:]
    with open(image_file, "rb") as file:
        image = file.read()
    client = triton.InferenceServerClient(address)
    wait_until_ready(client)
    show_health(address)
    show_reflection(address)
    show_server(client)
    show_translation(client)
    show_encoders(client, image)
    show_asynchronous(client)
    show_errors(client)
    show_statistics(client)
    client.close()
    print("all as expected")


if __name__ == "__main__":
    main()
