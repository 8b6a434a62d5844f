#!/usr/bin/env python3
"""Trains a small vision transformer on CIFAR-10, as models/classify-cifar10 was made.

  python3 models/recipes/train_cifar10.py --data cifar10.tar.xz --out /tmp/classify-cifar10 --state /tmp/cifar-state

--data: an archive of train/CLASS/*.jpg and test/CLASS/*.jpg, 32 x 32. --out receives a Hugging Face ViTForImageClassification directory in f16.
--state: a folder for what is half done; the same command again goes on from there.
A convolutional teacher is trained first, in a few epochs; the transformer then learns the teacher's answers to freshly distorted
pictures (Touvron et al. 2021; Beyer et al. 2022). Its attention begins as a convolution (Cordonnier et al. 2020; d'Ascoli et al. 2021).
1,000 training pictures are held out to watch the progress; the test split is
looked at once, at the end. Needs torch, transformers and Pillow; about 40 minutes on two quiet cores with bf16 matrix units.
"""

import argparse
import io
import json
import math
import pathlib
import tarfile
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from transformers import ViTConfig, ViTForImageClassification

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
SIDE, PATCH, HELD_OUT = 32, 4, 1000
GRID = SIDE // PATCH


# Data: pictures [count, 3, 32, 32] as uint8, labels [count].

def read_archive(path):
    """-> (class names, {"train" | "test": (pictures, labels)}), training pictures in an order of their own."""
    pictures, names = {"train": [], "test": []}, {"train": [], "test": []}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = pathlib.PurePath(member.name).parts
            if member.isfile() and parts[-1].endswith(".jpg"):
                image = Image.open(io.BytesIO(archive.extractfile(member).read())).convert("RGB")
                pictures[parts[-3]].append(np.asarray(image).transpose(2, 0, 1))
                names[parts[-3]].append(parts[-2])
    classes = sorted(set(names["train"]))
    splits = {}
    for split, of_split in pictures.items():
        order = torch.randperm(len(of_split), generator=torch.Generator().manual_seed(1))
        labels = torch.tensor([classes.index(name) for name in names[split]])
        splits[split] = (torch.from_numpy(np.stack(of_split))[order], labels[order])
    return classes, splits


def normalised(pictures):
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (pictures.float() / 255 - mean) / std


def distorted(pictures, erased_side):
    """Moved by up to four pixels, mirrored now and then, one square erased; normalised."""
    count = len(pictures)
    padded = functional.pad(normalised(pictures), (4, 4, 4, 4), mode="reflect")
    shift = torch.randint(0, 9, (2, count, 1))
    rows, columns = (shift[axis] + torch.arange(SIDE) for axis in (0, 1))
    columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
    out = padded[torch.arange(count).view(-1, 1, 1), :, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)
    corner = torch.randint(1 - erased_side, SIDE, (2, count, 1))
    erased = [(torch.arange(SIDE) >= corner[axis]) & (torch.arange(SIDE) < corner[axis] + erased_side) for axis in (0, 1)]
    return out.masked_fill((erased[0].unsqueeze(2) & erased[1].unsqueeze(1)).unsqueeze(1), 0.0)


def batches_of(count, batch, generator):
    order = torch.randperm(count, generator=generator)
    return [order[begin:begin + batch] for begin in range(0, count - batch + 1, batch)]


# The teacher.

def convolution(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(convolution(width, width), convolution(width, width))

    def forward(self, x):
        return x + self.body(x)


class Teacher(nn.Module):
    """A residual network of nine layers; the small logits let it learn at high rates."""

    def __init__(self, classes, width=32):
        super().__init__()
        self.body = nn.Sequential(
            convolution(3, width), convolution(width, 2 * width), nn.MaxPool2d(2), Residual(2 * width),
            convolution(2 * width, 4 * width), nn.MaxPool2d(2), convolution(4 * width, 8 * width), nn.MaxPool2d(2), Residual(8 * width))
        self.head = nn.Linear(8 * width, classes)

    def forward(self, x):
        return 0.125 * self.head(self.body(x.contiguous(memory_format=torch.channels_last)).amax((2, 3)))


# The student: Hugging Face's ViT, with one matrix for query, key and value.

class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        count, tokens, width = x.shape
        q, k, v = self.qkv(self.before(x)).view(count, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(count, tokens, width))
        return x + self.down(functional.gelu(self.up(self.after(x))))


class Student(nn.Module):
    def __init__(self, classes, width, layers, heads):
        super().__init__()
        self.patch = nn.Linear(3 * PATCH * PATCH, width)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, GRID * GRID + 1, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-12), nn.Linear(width, classes)

    def forward(self, pixels):
        x = self.patch(functional.unfold(pixels, PATCH, stride=PATCH).transpose(1, 2))
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


# The student's beginning. Attention that must first find out that neighbours matter needs hundreds of epochs. So it is
# trained in two goes: first with attention weights that are given (nine heads look at the eight neighbours and the patch
# itself, the others at everything), which no gradient touches and which need no query and key; then as the Student above,
# whose queries and keys begin by giving those weights from the position's waves, which have channels of their own.

WAVES = 4                 # Of each axis.
MARKS = 2 * 2 * WAVES     # Sines and cosines of both axes: a head's width.
OFFSETS = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]


def marks(rows, columns):
    """Waves of which those of two positions are orthogonal, or the same: [positions, MARKS]."""
    rates = math.pi / GRID * (2 * torch.arange(WAVES) + 1)
    return torch.cat([f(axis.unsqueeze(1) * rates) for axis in (rows, columns) for f in (torch.sin, torch.cos)], 1) / math.sqrt(2 * WAVES)


def grid_positions():
    return torch.arange(GRID).repeat_interleave(GRID).float(), torch.arange(GRID).repeat(GRID).float()


def turned(offset):
    """The matrix that makes marks(r, c) marks((r, c) + offset)."""
    turn = torch.zeros(MARKS, MARKS)
    for axis in (0, 1):
        for wave in range(WAVES):
            angle = math.pi / GRID * (2 * wave + 1) * offset[axis]
            sine, cosine = 2 * WAVES * axis + wave, 2 * WAVES * axis + WAVES + wave
            turn[sine, sine] = turn[cosine, cosine] = math.cos(angle)
            turn[sine, cosine], turn[cosine, sine] = math.sin(angle), -math.sin(angle)
    return turn


SHARPNESS = 16.0  # Score of a patch that is where a head looks, over those in neither its row nor its column.


def given_weights(heads):
    """[heads, 65, 65]"""
    here = marks(*grid_positions())
    scores = torch.zeros(heads, GRID * GRID + 1, GRID * GRID + 1)
    for head, offset in enumerate(OFFSETS):
        scores[head, 1:, 1:] = SHARPNESS * (here @ turned(offset).T) @ here.T
    return scores.softmax(-1)


class GuidedBlock(nn.Module):
    """A Block with given weights. It writes to the channels of content alone; those of the marks stay as they are."""

    def __init__(self, width, content, heads):
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, content)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, content)

    def forward(self, x, all_marks, weights):
        count, tokens, _ = x.shape
        v = self.value(self.before(torch.cat([x, all_marks], 2)))
        v = v.view(count, tokens, self.heads, -1).permute(2, 1, 0, 3).reshape(self.heads, tokens, -1)
        mixed = (weights @ v).view(self.heads, tokens, count, -1).permute(2, 1, 0, 3).reshape(count, tokens, -1)
        x = x + self.out(mixed)
        return x + self.down(functional.gelu(self.up(self.after(torch.cat([x, all_marks], 2)))))


class Guided(nn.Module):
    def __init__(self, classes, width, layers, heads):
        super().__init__()
        assert width // heads == MARKS and heads >= len(OFFSETS)
        content = width - 2 * MARKS
        self.patch = nn.Linear(3 * PATCH * PATCH, content)
        self.first = nn.Parameter(torch.zeros(1, 1, content))
        self.positions = nn.Parameter(0.02 * torch.randn(1, GRID * GRID + 1, content))
        self.blocks = nn.ModuleList(GuidedBlock(width, content, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-12), nn.Linear(width, classes)
        here = torch.cat([torch.zeros(1, MARKS), marks(*grid_positions())])
        # Each mark and its negative: their differences do not feel the mean that a norm takes away.
        self.register_buffer("marks", torch.cat([here, -here], 1).unsqueeze(0))
        self.register_buffer("weights", given_weights(heads))

    def forward(self, pixels, seen=None):
        """seen: receives the input of each block's first norm."""
        x = self.patch(functional.unfold(pixels, PATCH, stride=PATCH).transpose(1, 2))
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.positions
        all_marks = self.marks.expand(len(x), -1, -1)
        for block in self.blocks:
            if seen is not None:
                seen.append(torch.cat([x, all_marks], 2))
            x = block(x, all_marks, self.weights)
        return self.head(self.norm(torch.cat([x, all_marks], 2)[:, 0]))


@torch.no_grad()
def released(guided, pixels, width, layers, heads, classes):
    """The Student that answers like `guided`: its scales are set for `pixels`, some typical pictures."""
    student = Student(classes, width, layers, heads)
    content = width - 2 * MARKS
    padded = lambda t: functional.pad(t, (0, 0, 0, width - content)) if t.dim() == 2 else functional.pad(t, (0, width - content))
    for name in ("weight", "bias"):
        getattr(student.patch, name).copy_(padded(getattr(guided.patch, name)))
        for part in ("norm", "head"):
            getattr(getattr(student, part), name).copy_(getattr(getattr(guided, part), name))
    student.first.copy_(functional.pad(guided.first, (0, width - content)))
    student.positions.copy_(torch.cat([guided.positions, guided.marks], 2))
    seen = []
    guided(pixels, seen)
    for block, of_guided, x in zip(student.blocks, guided.blocks, seen):
        for part in ("before", "after", "up"):
            getattr(block, part).load_state_dict(getattr(of_guided, part).state_dict())
        for part in ("out", "down"):
            for name in ("weight", "bias"):
                getattr(getattr(block, part), name).copy_(padded(getattr(getattr(of_guided, part), name)))
        block.qkv.weight[2 * width:], block.qkv.bias[2 * width:] = of_guided.value.weight, of_guided.value.bias
        set_query_and_key(block, spread=x[:, 1:].std(-1, correction=0).mean().item(), width=width, heads=heads)
    return student


def set_query_and_key(block, spread, width, heads):
    """spread: the usual standard deviation of what the norm before gets; what it does to the marks is undone."""
    scale, shift = block.before.weight, block.before.bias
    read = torch.zeros(MARKS, width)
    read[:, width - 2 * MARKS:width - MARKS] = 0.5 * torch.eye(MARKS)
    read[:, width - MARKS:] = -0.5 * torch.eye(MARKS)
    read = spread * read / scale
    block.qkv.weight[:2 * width], block.qkv.bias[:2 * width] = 0.0, 0.0
    for head, offset in enumerate(OFFSETS):
        query = slice(head * MARKS, (head + 1) * MARKS)
        key = slice(width + query.start, width + query.stop)
        block.qkv.weight[query] = SHARPNESS * math.sqrt(MARKS) * turned(offset) @ read
        block.qkv.weight[key] = read
        for rows in (query, key):
            block.qkv.bias[rows] = -block.qkv.weight[rows] @ shift


# Training.

def with_bf16(function, *arguments):
    with torch.autocast("cpu", torch.bfloat16):
        return function(*arguments).float()


@torch.no_grad()
def accuracy(model, pictures, labels):
    model.eval()
    guesses = torch.cat([with_bf16(model, normalised(part)).argmax(1) for part in pictures.split(500)])
    model.train()
    return (guesses == labels).float().mean().item()


def fit(name, model, optimizer, loss_of, rate_at, most, data, held, epochs, args):
    """Runs epochs of loss_of(pictures, labels, epoch), each written to args.state, from the first not yet there; gradients at most `most` long."""
    file = args.state / f"{name}.pt"
    first = 0
    if file.exists():
        state = torch.load(file)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epochs"]
    pictures, labels = data
    for epoch in range(first, epochs):
        torch.manual_seed(args.seed * 1000 + epoch)
        model.train()
        begun, total = time.time(), 0.0
        batches = batches_of(len(pictures), args.batch, torch.Generator().manual_seed(args.seed * 1000 + epoch))
        for index, chosen in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = rate_at((epoch + index / len(batches)) / epochs)
            loss = loss_of(pictures[chosen], labels[chosen], epoch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), most)
            optimizer.step()
            total += loss.item()
            if index % 20 == 19:
                print(f"{name} {epoch + 1}/{epochs} {index + 1}/{len(batches)} loss {total / (index + 1):.4f}", end="\r", flush=True)
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epoch + 1}, file)
        print(f"{name} {epoch + 1}/{epochs} loss {total / len(batches):.4f} held out {accuracy(model, *held):.2%} {time.time() - begun:.0f} s", flush=True)
    return model.eval()


def triangle(peak):
    """Up for a fifth of the way, then down to nothing."""
    return lambda done: peak * min(done / 0.2, (1 - done) / 0.8)


def half_wave(peak):
    """Up for a twentieth of the way, then down a cosine."""
    return lambda done: peak * min(done / 0.05, 0.5 + 0.5 * math.cos(math.pi * done))


def train_teacher(classes, data, held, args):
    teacher = Teacher(len(classes)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(teacher.parameters(), lr=0.0, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def loss_of(pictures, labels, epoch):
        return functional.cross_entropy(with_bf16(teacher, distorted(pictures, 8)), labels, label_smoothing=0.1)

    return fit("teacher", teacher, optimizer, loss_of, triangle(0.2), math.inf, data, held, args.teacher_epochs, args)


def train_to_answer_like(teacher, name, model, rate, epochs, blends, data, held, args):
    """blends: pictures are laid over each other, two and two (Zhang et al. 2018)."""
    decayed = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=0.0)

    def loss_of(pictures, labels, epoch):
        views = distorted(pictures, args.erased)
        share, other = (torch.distributions.Beta(0.8, 0.8).sample() if blends else 1.0), torch.randperm(len(views))
        views = share * views + (1 - share) * views[other]
        with torch.no_grad():
            wanted = (with_bf16(teacher, views) / args.temperature).softmax(1)
        logits = with_bf16(model, views)
        taught = functional.kl_div((logits / args.temperature).log_softmax(1), wanted, reduction="batchmean") * args.temperature ** 2
        told = share * functional.cross_entropy(logits, labels) + (1 - share) * functional.cross_entropy(logits, labels[other])
        return 0.7 * taught + 0.3 * told

    print(f"{name}: {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    return fit(name, model, optimizer, loss_of, half_wave(rate), 1.0, data, held, epochs, args)


def train_student(classes, teacher, data, held, args):
    sizes = {"width": args.width, "layers": args.layers, "heads": args.heads, "classes": len(classes)}
    guided = train_to_answer_like(teacher, "guided", Guided(**sizes), args.rate, args.guided_epochs, False, data, held, args)
    student = released(guided, normalised(data[0][:200]), **sizes)
    print(f"student before it is trained: held out {accuracy(student, *held):.2%}", flush=True)
    return train_to_answer_like(teacher, "student", student, args.student_rate, args.epochs, True, data, held, args)


# Export.

def tensors_of(student):
    """The student's weights under the names that transformers writes."""
    tensors = {
        "vit.embeddings.cls_token": student.first, "vit.embeddings.position_embeddings": student.positions,
        "vit.embeddings.patch_embeddings.projection.weight": student.patch.weight.view(-1, 3, PATCH, PATCH),
        "vit.embeddings.patch_embeddings.projection.bias": student.patch.bias,
        "vit.layernorm.weight": student.norm.weight, "vit.layernorm.bias": student.norm.bias,
        "classifier.weight": student.head.weight, "classifier.bias": student.head.bias}
    for index, block in enumerate(student.blocks):
        parts = {"layernorm_before": block.before, "layernorm_after": block.after, "attention.output.dense": block.out,
                 "intermediate.dense": block.up, "output.dense": block.down}
        named = {f"{name}.{kind}": getattr(part, kind) for name, part in parts.items() for kind in ("weight", "bias")}
        for kind in ("weight", "bias"):
            query, key, value = getattr(block.qkv, kind).chunk(3)
            named |= {f"attention.attention.query.{kind}": query, f"attention.attention.key.{kind}": key, f"attention.attention.value.{kind}": value}
        tensors |= {f"vit.encoder.layer.{index}.{name}": tensor for name, tensor in named.items()}
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


def export(student, classes, args):
    """Writes the directory; what transformers reads from it must answer as the student does."""
    from safetensors.torch import save_file
    args.out.mkdir(parents=True, exist_ok=True)
    config = ViTConfig(
        hidden_size=args.width, num_hidden_layers=args.layers, num_attention_heads=args.heads, intermediate_size=4 * args.width,
        image_size=SIDE, patch_size=PATCH, num_labels=len(classes), id2label=dict(enumerate(classes)),
        label2id={name: index for index, name in enumerate(classes)})
    config.architectures = ["ViTForImageClassification"]
    config.save_pretrained(args.out)
    save_file({name: tensor.half() for name, tensor in tensors_of(student).items()}, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "ViTImageProcessor", "do_resize": True, "size": {"height": SIDE, "width": SIDE}, "resample": 3,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD}, indent=2) + "\n")
    loaded = ViTForImageClassification.from_pretrained(args.out, dtype=torch.float32).eval()
    pixels = torch.randn(4, 3, SIDE, SIDE)
    with torch.no_grad():
        difference = (loaded(pixels).logits - student(pixels)).abs().max().item()
    print(f"transformers and student differ by {difference:.2g} (weights in f16)", flush=True)
    return loaded


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--state", required=True, type=pathlib.Path)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--teacher-epochs", type=int, default=6)
    parser.add_argument("--guided-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--student-rate", type=float, default=6e-4)
    parser.add_argument("--erased", type=int, default=4, help="side of the square that is erased from the student's pictures")
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = parse_arguments()
    args.state.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    classes, splits = read_archive(args.data)
    pictures, labels = splits["train"]
    data, held = (pictures[HELD_OUT:], labels[HELD_OUT:]), (pictures[:HELD_OUT], labels[:HELD_OUT])
    teacher = train_teacher(classes, data, held, args)
    student = train_student(classes, teacher, data, held, args)
    loaded = export(student, classes, args)
    test_pictures, test_labels = splits["test"]
    with torch.no_grad():
        guesses = torch.cat([loaded(normalised(part)).logits.argmax(1) for part in test_pictures.split(500)])
    print(f"test split, weights in f16: {(guesses == test_labels).float().mean().item():.2%} of {len(test_labels)}")


if __name__ == "__main__":
    main()
