#!/usr/bin/env python3
"""Writes the seeds of infer_request_fuzz: ModelInferRequests as clients send them, and some that are wrong.

Needs protoc and the Python package protobuf. Usage: make_infer_request_seeds.py
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests/fuzz/seeds/infer_request"


def load_messages():
    out = tempfile.mkdtemp()
    subprocess.run(["protoc", f"--proto_path={ROOT}/proto", f"--python_out={out}", "inference/model_config.proto",
                    "inference/open_inference_grpc.proto"], check=True)
    sys.path.insert(0, out)
    from inference import open_inference_grpc_pb2
    return open_inference_grpc_pb2


def raw(*elements):
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


def main():
    messages = load_messages()

    def request(shape, raw_contents=None, typed=()):
        message = messages.ModelInferRequest(model_name="m", id="1")
        tensor = message.inputs.add(name="text", datatype="BYTES", shape=shape)
        if raw_contents is not None:
            message.raw_input_contents.append(raw_contents)
        if typed:
            tensor.contents.bytes_contents.extend(typed)
        return message

    full = request([2, 1], raw(b"Hello", b"\xff"))
    full.parameters["beam_size"].int64_param = 4
    full.parameters["length_penalty"].double_param = 1.5
    full.parameters["priority"].uint64_param = 3
    full.outputs.add(name="score").parameters["classification"].int64_param = 2
    shared = request([1])
    shared.inputs[0].parameters["shared_memory_region"].string_param = "x"
    numbers = request([1], typed=[b"a"])
    numbers.inputs[0].contents.fp32_contents.extend([1, 2])
    seeds = {
        "raw": full, "typed": request([2], typed=[b"Hello", b""]), "both": request([1], raw(b"a"), [b"a"]),
        "short": request([3], raw(b"a")), "long": request([1], raw(b"a", b"b")), "negative": request([-1], raw(b"a")),
        "overflow": request([1 << 62, 8], raw(b"a")), "cut": request([1], raw(b"abc")[:-1]), "shared": shared,
        "numbers": numbers, "nothing": messages.ModelInferRequest(),
    }
    SEEDS.mkdir(parents=True, exist_ok=True)
    for name, message in seeds.items():
        (SEEDS / name).write_bytes(message.SerializeToString())
    (SEEDS / "empty_inputs").write_bytes(b"\x2a\x00" * 40)


if __name__ == "__main__":
    main()
