# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages through apt: looked up, fetched, unpacked, never installed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from khobvm.errors import VmError

UPDATE_HINT = "run `apt-get update` (as root) first; `make` does it on a fresh machine"

# As root, apt would drop to _apt, which cannot write into our cache.
_OPTIONS = ("-q", "-o", "APT::Sandbox::User=root")


@dataclass(frozen=True)
class Package:
    """One package as apt's metadata describes it."""

    name: str
    version: str
    sha256: str
    size: int
    depends: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the content: safe as a file name."""
        version = self.version.replace(":", "%")
        return f"{self.name}_{version}_{self.sha256[:16]}"


def _failure(command: Sequence[str], said: str) -> str:
    """What failed and why, without the configuration on the command line."""
    words = [word for before, word in zip(("", *command), command) if "-o" not in (before, word)]
    lines = said.strip().splitlines()
    # The first complaint is the cause; the last one of several only says that there were some.
    why = next((line for line in lines if line.startswith(("E: ", "W: "))), "")
    return f"`{' '.join(words)}` failed: {why or ''.join(lines[-1:]) or 'no message'}"


def run(*command: str, cwd: Path | None = None, hint: str = UPDATE_HINT) -> str:
    """Runs a command, returns what it printed; C locale, no shell."""
    try:
        done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError as error:
        raise VmError(f"{command[0]} is missing: kernels come from Debian packages",
                      "run this on Debian 12") from error
    if done.returncode != 0:
        raise VmError(_failure(command, done.stderr), hint)
    return done.stdout


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in stanza.splitlines():
        name, colon, value = line.partition(": ")
        if colon and not line.startswith(" "):
            fields.setdefault(name, value.strip())
    return fields


def parse_stanza(stanza: str) -> Package:
    """Reads one stanza of `apt-cache show`."""
    fields = _fields(stanza)
    try:
        depends = tuple(d.strip() for d in fields.get("Depends", "").split(",") if d.strip())
        return Package(fields["Package"], fields["Version"], fields["SHA256"],
                       int(fields["Size"]), depends)
    except (KeyError, ValueError) as error:
        raise VmError(f"apt's metadata of a package lacks {error}", UPDATE_HINT) from error


_DEPENDENCY = re.compile(r"(?P<name>[a-z0-9][a-z0-9.+-]*)(?::\w+)?\s*"
                         r"(?:\((?P<relation><<|<=|=|>=|>>)\s*(?P<version>[^)]+)\))?")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class Archive:
    """The packages that apt finds with one configuration: the machine's, or one of ours.

    options: what makes apt use it. places: where what it answers from lies. hint: what to
    do when it does not know a package.
    """

    options: tuple[str, ...] = ()
    places: tuple[Path, ...] = (Path("/var/lib/apt/lists"), Path("/etc/apt"))
    hint: str = UPDATE_HINT

    def state(self) -> str:
        """Changes whenever apt might answer differently: lists, sources, preferences."""
        digest = hashlib.sha256()
        for base in self.places:
            for path in sorted([base, *base.glob("*"), *base.glob("*/*")]):
                try:
                    found = path.stat()
                except OSError:
                    continue
                digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def show(self, name: str, version: str = "") -> Package | None:
        """apt's candidate for a package, or the given version; None when apt knows none."""
        wanted = f"{name}={version}" if version else name
        try:
            text = run("apt-cache", *self.options, "--no-all-versions", "show", wanted)
        except VmError:
            return None
        stanza = text.strip().split("\n\n")[0]
        return parse_stanza(stanza) if "SHA256" in stanza else None

    def depended(self, package: Package, pattern: str) -> Iterator[Package]:
        """The packages that this one depends on directly and whose names match.

        Of alternatives the first is taken, as apt does; an exact version is honoured.
        """
        for text in package.depends:
            found = _DEPENDENCY.fullmatch(text.split("|")[0].strip())
            if not found or not re.fullmatch(pattern, found["name"]):
                continue
            exact = found["version"].strip() if found["relation"] == "=" else ""
            result = self.show(found["name"], exact)
            if result is None:
                raise VmError(f"{package.name} needs {text}, which apt does not know", self.hint)
            yield result

    def closure(self, names: Sequence[str]) -> list[Package]:
        """These packages and what apt would install with them on a machine that has none.

        Only where the configuration is one of ours, without installed packages.
        """
        text = run("apt-get", *_OPTIONS, *self.options, "--simulate", "--no-install-recommends",
                   "install", *names, hint=self.hint)
        wanted = [f"{name}={version}" for name, version
                  in re.findall(r"(?m)^Inst (\S+) \((\S+) ", text)]
        text = run("apt-cache", *self.options, "show", *wanted, hint=self.hint)
        return sorted((parse_stanza(stanza) for stanza in text.strip().split("\n\n")),
                      key=lambda p: p.name)

    def fetch_all(self, wanted: Sequence[Package], directory: Path) -> list[Path]:
        """Downloads packages into a directory and checks them against apt's metadata."""
        places = []
        with tempfile.TemporaryDirectory(dir=directory) as temp:
            run("apt-get", *_OPTIONS, *self.options, "download",
                *(f"{p.name}={p.version}" for p in wanted), cwd=Path(temp), hint=self.hint)
            for package in wanted:
                files = list(Path(temp).glob(f"{package.name}_*.deb"))
                if len(files) != 1:
                    raise VmError(f"apt-get download {package.name} left {len(files)} packages")
                if _sha256(files[0]) != package.sha256:
                    raise VmError(f"{package.name}: the download's SHA-256 is not what apt's "
                                  "list says", self.hint)
                places.append(directory / f"{package.key}.deb")
                files[0].rename(places[-1])
        return places

    def fetch(self, package: Package, directory: Path) -> Path:
        """The same with one."""
        return self.fetch_all((package,), directory)[0]

    def update(self) -> None:
        """Fetches the package lists again: for a configuration of ours only."""
        run("apt-get", *_OPTIONS, *self.options, "update", "--error-on=any", hint=self.hint)


MACHINE = Archive()


def unpack(deb: Path, root: Path) -> None:
    """Unpacks a package's files under root."""
    run("dpkg", "-x", str(deb), str(root))
