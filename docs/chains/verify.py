#!/usr/bin/env python3
"""Verifies a table hashed by recipe v1 (govctl.chain/1), and a checkpoint of it, without govctl.

A second implementation, to show that the format stands on its own. It reads binary COPY from a file or standard input:

    psql -c "copy (select seq, …, prev_hash, row_hash from audit.event order by seq) to stdout (format binary)" \\
      | verify.py [--note audit.event.row_hash.checkpoint] [--key "NAME+ID+BASE64"]

The columns before the last two are the hashed ones, in the order of the recipe; then the previous hash, then the row's own.
Needs nothing but Python; a signature is checked where the package `cryptography` is there.
"""
import argparse, base64, hashlib, struct, sys

TAG = b"govctl/chain/1\0"


def tuples(stream):
    """Field count, fields and raw bytes of each row of binary COPY."""
    header = stream.read(19)
    assert header[:11] == b"PGCOPY\n\xff\r\n\0", "this is no binary COPY"
    stream.read(struct.unpack(">i", header[15:19])[0])
    while True:
        (count,) = struct.unpack(">h", stream.read(2))
        if count < 0:
            return
        fields, frames = [], []
        for _ in range(count):
            length = stream.read(4)
            size = struct.unpack(">i", length)[0]
            value = stream.read(size) if size >= 0 else None
            fields.append(value)
            frames.append(length + (value or b""))
        yield fields, frames


class Tree:
    """RFC 6962: leaves 00, nodes 01; only the right edge is kept."""

    def __init__(self):
        self.size, self.edge = 0, []

    def push(self, leaf):
        node, size = hashlib.sha256(b"\0" + leaf).digest(), self.size
        while size & 1:
            node, size = hashlib.sha256(b"\1" + self.edge.pop() + node).digest(), size >> 1
        self.edge.append(node)
        self.size += 1

    def root(self):
        if not self.edge:
            return hashlib.sha256(b"").digest()
        node = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node


def note(path):
    """Origin, size, root and signatures of a C2SP checkpoint."""
    text, signatures = open(path, encoding="utf-8").read().rsplit("\n\n", 1)
    origin, size, root = text.split("\n")[:3]
    return text + "\n", origin, int(size), base64.b64decode(root), signatures.splitlines()


def signed(text, signatures, key):
    """Whether a key, NAME+ID+BASE64, signed the text."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, _, encoded = key.split("+", 2)
    typed = base64.b64decode(encoded)
    wanted = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    for line in signatures:
        _, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if signer == name and raw[:4] == wanted:
            Ed25519PublicKey.from_public_bytes(typed[1:]).verify(raw[4:], text.encode())
            return True
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--note")
    parser.add_argument("--key")
    args = parser.parse_args()
    pinned = note(args.note) if args.note else None
    tree, last, bad, agrees = Tree(), None, 0, None
    stream = open(args.file, "rb") if args.file else sys.stdin.buffer
    for fields, frames in tuples(stream):
        prev, own = fields[-2], fields[-1]
        if hashlib.sha256(TAG + prev + b"".join(frames[:-2])).digest() != own:
            print(f"row {tree.size + 1}: its values do not hash to what it stores")
            bad += 1
        if last is not None and prev != last:
            print(f"row {tree.size + 1}: it does not name the row before it")
            bad += 1
        last = own
        tree.push(own)
        if pinned and tree.size == pinned[2]:
            agrees = tree.root() == pinned[3]
    print(f"{tree.size} rows, {bad} breaks, root {base64.b64encode(tree.root()).decode()}")
    if pinned:
        bad += not agrees
        print(f"checkpoint of {pinned[2]} rows: {'agrees' if agrees else 'DISAGREES, or rows are gone'}")
        if args.key:
            good = signed(pinned[0], pinned[4], args.key)
            bad += not good
            print("signature: good" if good else "signature: none by this key")
    return 5 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
