#!/usr/bin/env python3
"""Verifies a table hashed by recipe v1 (govctl.chain/1), and a checkpoint of it, without govctl.

A second implementation, to show that the format stands on its own. It reads binary COPY from a file or standard input:

    psql -c "copy (select seq, …, prev_hash, row_hash from audit.event order by seq) to stdout (format binary)" \\
      | verify.py [--note audit.event.row_hash.checkpoint] [--key "NAME+ID+BASE64"]

    verify.py --bundle DIR      checks a folder that `govctl verify-chain --evidence` wrote, without any rows

The columns before the last two are the hashed ones, in the order of the recipe; then the previous hash, then the row's own.
Needs nothing but Python; a signature is checked where the package `cryptography` is there.
"""
import argparse, base64, glob, hashlib, json, os, struct, sys

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
    text, _, signatures = open(path, encoding="utf-8").read().partition("\n\n")
    text = text.rstrip("\n")
    origin, size, root = text.split("\n")[:3]
    return text + "\n", origin, int(size), base64.b64decode(root), signatures.splitlines()


def signed(text, signatures, key):
    """Whether a key, NAME+ID+BASE64, signed the text."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, _, encoded = key.split("+", 2)
    typed = base64.b64decode(encoded)
    wanted = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    for line in signatures:
        _, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if signer != name or raw[:4] != wanted:
            continue
        said, raw = text, raw[4:]
        if typed[0] == 4:  # a witness signs the time, too
            said, raw = f"cosignature/v1\ntime {struct.unpack('>Q', raw[:8])[0]}\n{text}", raw[8:]
        try:
            Ed25519PublicKey.from_public_bytes(typed[1:]).verify(raw, said.encode())
            return True
        except InvalidSignature:
            pass
    return False


def summary(document):
    """Size and root that the file beside a note gives: of its only chain, else of the tree over one line a chain."""
    whole, trees = Tree(), []
    for chain in json.load(open(document, encoding="utf-8"))["chains"]:
        tree = Tree()
        tree.size, tree.edge = chain["size"], [base64.b64decode(node) for node in chain["edge"]]
        trees.append((chain["key"], tree))
        whole.push(f"{chain['key']} {tree.size} {tree.root().hex()}".encode())
    if len(trees) == 1 and trees[0][0] == "":
        whole = trees[0][1]
    return whole.size, whole.root()


def bundle(folder):
    """The files against the manifest, the roots against the edges beside them, the checkpoints against the keys."""
    bad = 0

    def tell(fault, what):
        nonlocal bad
        bad += bool(fault)
        print(f"{what}: {fault or 'good'}")

    manifest = json.load(open(os.path.join(folder, "manifest.json"), encoding="utf-8"))["files"]
    for name, digest in manifest.items():
        path = os.path.join(folder, name)
        there = os.path.isfile(path) and hashlib.sha256(open(path, "rb").read()).hexdigest() == digest
        tell(None if there else "is not what the manifest says", name)
    keys = [open(path, encoding="utf-8").readline().strip() for path in sorted(glob.glob(os.path.join(folder, "keys", "*")))]
    for path in sorted(glob.glob(os.path.join(folder, "trees", "*.checkpoint"))):
        size, root = open(path, encoding="utf-8").read().split("\n")[1:3]
        tell(None if (int(size), base64.b64decode(root)) == summary(path + ".json") else "ITS ROOT IS ANOTHER", path)
    for path in sorted(glob.glob(os.path.join(folder, "checkpoints", "*.checkpoint"))):
        text, _, size, root, signatures = note(path)
        if os.path.exists(path + ".json"):
            tell(None if (size, root) == summary(path + ".json") else "ITS ROOT IS ANOTHER", path)
        if not keys:
            print(f"{path}: nobody said whose signature counts")
            continue
        try:
            tell(None if any(signed(text, signatures, key) for key in keys) else "NO KEY SIGNED IT", f"{path}, signature")
        except ImportError:
            print(f"{path}: its signature was not checked: pip install cryptography")
    return 5 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?")
    parser.add_argument("--note")
    parser.add_argument("--key")
    parser.add_argument("--bundle")
    args = parser.parse_args()
    if args.bundle:
        return bundle(args.bundle)
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
