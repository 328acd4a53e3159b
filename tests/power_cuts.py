"""What a disk may hold after a power cut: a real process's writes, syncs and renames, and every state that they allow.

POSIX promises little: bytes are safe after the file's fsync, names after the folder's, and before that any part of them
may be on disk in any order. A failed fsync loses what was waiting for it, for good (Rebello et al. 2020). Names and bytes
are independent: the fsync of a file does not make its name safe (Pillai et al. 2014, "All file systems are not created equal").
"""

import itertools
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

TRACED = "openat,write,writev,ftruncate,fsync,fdatasync,rename,close,mkdir"
CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(?: (\w+))?")
BEGUN = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
ENDED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")


def trace(command, out, *faults):
    """Run a command -> its exit code; its system calls go to a file. faults: what strace injects."""
    injected = [word for fault in faults for word in ("-e", f"inject={fault}")]
    words = ["strace", "-f", "-qq", "-xx", "-s", "1000000", "-o", str(out), "-e", f"trace={TRACED}", *injected]
    return subprocess.run([*words, *command], capture_output=True, check=False).returncode


def calls(text):
    """Text of a trace -> (name, arguments, result) in the order in which the calls ended."""
    begun = {}
    for line in text.splitlines():
        if found := BEGUN.match(line):
            begun[found[1]] = found[2]
            continue
        found = ENDED.match(line)
        whole = f"{found[1]} {begun.pop(found[1])}{found[2]}" if found else line
        if found := CALL.match(whole):
            yield found[2], found[3], int(found[4])


@dataclass
class File:
    """Bytes that are safe, and what waits for a sync: (offset, data), or (size, None) for a cut."""

    safe: bytes = b""
    waiting: list = field(default_factory=list)

    def states(self):
        """Every content that a power cut may leave, of each prefix of what waits: whole, torn, holed, out of order."""
        found = [self.safe]
        for n, (at, data) in enumerate(self.waiting):
            before = _applied(self.safe, self.waiting[:n])
            found += [_applied(before, [step]) for step in ((at, data), *_parts(at, data))]
        return list(dict.fromkeys(found))

    def sync(self, went_well):
        """Afterwards nothing waits: it is safe, or it is lost."""
        if went_well:
            self.safe = _applied(self.safe, self.waiting)
        self.waiting = []


def _parts(at, data):
    if data is None:
        return
    for cut in (1, len(data) // 2):
        yield at, data[:cut]
        yield at, data[:cut] + bytes(len(data) - cut)
        yield at, bytes(cut) + data[cut:]
    yield at, bytes(len(data))


def _applied(content, steps):
    for at, data in steps:
        content = content[:at] if data is None else content[:at].ljust(at, b"\0") + data + content[at + len(data) :]
    return content


class Disk:
    """Files and names below a folder, as far as they are safe, and as the running process sees them."""

    def __init__(self, root):
        self.root = Path(root)
        self.safe, self.live = {}, {}  # name -> File, or None for a folder
        self.waiting = []  # (old name or None, new name, File)
        self.open = {}
        self.acknowledged = set()

    def run(self, text):
        """Calls of one process -> after each that changed something: this disk."""
        self.open = {}
        for name, arguments, result in calls(text):
            if self._call(name, arguments.split(", "), result):
                yield self

    def states(self):
        """Every {name: content} that a power cut may leave now."""
        for kept in itertools.product((False, True), repeat=len(self.waiting)):
            names = self._names(kept)
            if names is not None:
                files = {name: file for name, file in names.items() if file and self._reached(name, names)}
                for contents in itertools.product(*(file.states() for file in files.values())):
                    yield dict(zip(files, contents, strict=True))

    def _names(self, kept):
        names = dict(self.safe)
        for step, keep in zip(self.waiting, kept, strict=True):
            if keep:
                if step[0] is not None and names.get(step[0]) is not step[2]:
                    return None  # it was not there to be renamed
                _name(names, step)
        return names

    def _reached(self, name, names):
        return all(str(folder) in names for folder in Path(name).parents if folder != Path())

    def _call(self, name, words, result):
        change = getattr(self, f"_{name}", None)
        return bool(change and change(words, result))

    def _openat(self, words, result):
        name = self._inside(_text(words[1]))
        if name is None or result < 0:
            return False
        if name not in self.live and "O_CREAT" in words[2]:
            self._later((None, name, File()))
        file = self.live.get(name)
        self.open[result] = (name, file)
        if file and "O_TRUNC" in words[2]:
            file.waiting.append((0, None))
        return True

    def _close(self, words, _):
        self.open.pop(int(words[0]), None)

    def _write(self, words, result):
        _, file = self.open.get(int(words[0]), (None, None))
        if file is None or result < 0:
            return False
        file.waiting.append((len(_applied(file.safe, file.waiting)), _text(words[1])[:result]))
        return True

    def _writev(self, words, _):
        """How the process says what it acknowledged: a fault of write is the journal's alone."""
        if said := re.search(r'iov_base="([^"]+)"', words[1]):
            self.acknowledged.add(int(_text(said[1]).split()[1]))
        return True

    def _ftruncate(self, words, result):
        if int(words[0]) in self.open and result == 0:
            self.open[int(words[0])][1].waiting.append((int(words[1]), None))
        return True

    def _fsync(self, words, result):
        name, file = self.open.get(int(words[0]), (None, None))
        if name is None:
            return False
        if file:
            file.sync(result == 0)
        elif result == 0:
            self._safe_names(Path(name))
        return True

    _fdatasync = _fsync

    def _mkdir(self, words, result):
        name = self._inside(_text(words[0]))
        if name is not None and result == 0:
            self._later((None, name, None))
        return name is not None

    def _rename(self, words, result):
        old, new = (self._inside(_text(word)) for word in words)
        if result == 0:
            self._later((old, new, self.live[old]))
        return True

    def _later(self, step):
        self.waiting.append(step)
        _name(self.live, step)

    def _safe_names(self, folder):
        own = [step for step in self.waiting if Path(step[1]).parent == folder]
        for step in own:
            _name(self.safe, step)
        self.waiting = [step for step in self.waiting if step not in own]

    def _inside(self, path):
        own = Path(path.decode())
        if own == self.root:
            self.live.setdefault(".", None)
            return "."
        return str(own.relative_to(self.root)) if own.is_relative_to(self.root) else None


def _name(names, step):
    old, new, file = step
    if old is not None:
        names.pop(old, None)
    names[new] = file


def _text(word):
    return bytes.fromhex(word.strip('"').replace("\\x", ""))
