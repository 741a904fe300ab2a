"""Real files of many types: what is found on any machine with Python, and what its library makes on the fly."""

from __future__ import annotations

import csv
import gzip
import io
import json
import marshal
import os
import random
import sqlite3
import struct
import sys
import sysconfig
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path


def found(count: int, seed: int) -> Iterator[bytes]:
    """Sources, compiled extensions and texts of the running Python."""
    library = Path(os.__file__).parent
    rng = random.Random(seed)
    kinds = [
        sorted(p for p in library.rglob("*.py") if p.stat().st_size > 2000),
        sorted((library / "lib-dynload").glob("*.so")) or [Path(sys.executable)],
        sorted(Path(sysconfig.get_paths()["include"]).rglob("*.h")),
        sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info/METADATA")),
        sorted(Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info/RECORD")),
    ]
    for k in range(count):
        files = kinds[k % len(kinds)] or kinds[0]
        yield files[rng.randrange(len(files))].read_bytes()


def made(count: int, seed: int) -> Iterator[bytes]:
    """Archives, images, tables, markup and bytecode."""
    rng = random.Random(seed)
    makers = [_json, _zip, _gzip, _tar, _png, _xml, _html, _csv, _pyc, _sqlite, _wav, _shell, _ini]
    for k in range(count):
        yield makers[k % len(makers)](rng)


def _words(rng: random.Random, count: int) -> list[str]:
    text = Path(json.__file__).read_text(encoding="utf-8").split()
    return [rng.choice(text) for _ in range(count)]


def _tree(rng: random.Random, depth: int) -> object:
    if not depth:
        return rng.choice([rng.random(), rng.randrange(1000), None, True, " ".join(_words(rng, 3))])
    return {f"{w}_{i}": _tree(rng, depth - 1) for i, w in enumerate(_words(rng, rng.randint(2, 5)))}


def _json(rng: random.Random) -> bytes:
    return json.dumps(_tree(rng, 4), indent=rng.choice([None, 2])).encode()


def _zip(rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(rng.randint(2, 6)):
            archive.writestr(f"folder/{i}.txt", " ".join(_words(rng, 400)))
    return out.getvalue()


def _gzip(rng: random.Random) -> bytes:
    return gzip.compress(" ".join(_words(rng, 2000)).encode(), mtime=0)


def _tar(rng: random.Random) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for i in range(3):
            data = " ".join(_words(rng, 200)).encode()
            info = tarfile.TarInfo(f"folder/{i}.txt")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _png(rng: random.Random) -> bytes:
    width, height = rng.randint(30, 90), rng.randint(30, 90)
    rows = b"".join(b"\0" + bytes((x * y + rng.randrange(9)) % 256 for x in range(3 * width)) for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _xml(rng: random.Random) -> bytes:
    root = ElementTree.Element("catalog")
    for i in range(60):
        item = ElementTree.SubElement(root, "item", id=str(i))
        item.text = " ".join(_words(rng, 4))
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _html(rng: random.Random) -> bytes:
    body = "\n".join(f'<p class="text">{" ".join(_words(rng, 12))}</p>' for _ in range(60))
    return f"<!DOCTYPE html>\n<html><head><title>Page</title></head>\n<body>\n{body}\n</body></html>".encode()


def _csv(rng: random.Random) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["id", "name", "price", "count"])
    table.writerows(
        [i, rng.choice(["bolt", "nut", "gear"]), round(rng.uniform(1, 9), 2), rng.randrange(99)] for i in range(200)
    )
    return out.getvalue().encode()


def _pyc(rng: random.Random) -> bytes:
    library = sorted(p for p in Path(os.__file__).parent.glob("*.py") if p.stat().st_size > 4000)
    path = rng.choice(library)
    code = compile(path.read_bytes(), path.name, "exec")
    return MAGIC_NUMBER + b"\0" * 12 + marshal.dumps(code)


def _sqlite(rng: random.Random) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.db"
        base = sqlite3.connect(path)
        base.execute("create table words (id integer primary key, word text)")
        base.executemany("insert into words (word) values (?)", [(w,) for w in _words(rng, 500)])
        base.commit()
        base.close()
        return path.read_bytes()


def _wav(rng: random.Random) -> bytes:
    samples = b"".join(
        struct.pack("<h", int(9000 * ((i * rng.randint(40, 44)) % 200 - 100) / 100)) for i in range(8000)
    )
    size, rate = len(samples), 8000
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size
    )
    return head + samples


def _shell(rng: random.Random) -> bytes:
    lines = ["#!/bin/sh", "set -eu"]
    for i in range(80):
        lines += [
            f'if [ -f "/etc/{rng.choice(["hosts", "passwd", "fstab"])}" ]; then',
            f'    echo "step {i}" >&2',
            "fi",
        ]
    return "\n".join(lines).encode()


def _ini(rng: random.Random) -> bytes:
    return "\n".join(
        f"[section{i}]\nname = {rng.choice(['a', 'b'])}{i}\nenabled = true\ntimeout = {rng.randrange(90)}\n"
        for i in range(60)
    ).encode()
