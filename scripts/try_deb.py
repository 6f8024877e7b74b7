# SPDX-License-Identifier: GPL-2.0-only
"""Installs the Debian packages of BUILD/deb in a root of their own, upgrades and purges them.

The root is of this Debian's release, made by mmdebstrap and kept in the cache. It needs root.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import build_deb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "selftests" / "vm"))

from khobvm import cache  # noqa: E402

# Besides what each package asks for: what it should get on with.
INCLUDE = ("systemd", "dkms", "linux-headers-cloud-amd64", "kexec-tools", "initramfs-tools",
           "zsh", "libfmt-dev", "libyaml-cpp-dev", "python3-jinja2")
# What others write when anything is installed.
OTHERS = re.compile(r"(proc|sys|dev|run|tmp|root)/|var/(log|cache|backups)/|"
                    r"var/lib/(apt|dpkg|systemd|initramfs-tools|dkms/\w+-key)|var/lib/dkms/mok|"
                    r"etc/ld.so.cache|boot/initrd|.*/__pycache__/|"
                    r"usr/lib/modules/[^/]+/modules\.|lib/modules/[^/]+/modules\.")
UNITS = tuple(f"kho-bridge-{name}.service" for name in ("attach", "keep", "load"))


class Chroot:
    """A root directory to run commands in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wrong: list[str] = []

    def run(self, command: str) -> tuple[int, str]:
        """Runs a shell command. Return: its exit status, and all that it said."""
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                               f"--mount-proc={self.root}/proc", "chroot", str(self.root), "sh",
                               "-ec", command], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                                   "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"})
        return done.returncode, done.stdout

    def expect(self, what: str, command: str, said: str = "", code: int = 0) -> str:
        """Complains unless the command ends so and has that (a pattern) in what it says."""
        status, text = self.run(command)
        if status != code or not re.search(said, text):
            self.wrong += [f"{what}: `{command}` ends with {status}:",
                           *(f"    {line}" for line in text.splitlines()[-15:])]
        return text

    def files(self) -> set[str]:
        """All that is in there, but for what others write."""
        found = set()
        for directory, _, names in os.walk(self.root):
            for name in names:
                path = str((Path(directory) / name).relative_to(self.root))
                if not OTHERS.match(path):
                    found.add(path)
        return found


def fresh_root(to: Path) -> None:
    """Unpacks a root of this release, which the cache has or gets."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]

    def make(directory: Path) -> None:
        subprocess.run(["mmdebstrap", "--quiet", "--variant=apt",
                        f"--include={','.join(INCLUDE)}", release, str(directory / "root.tar")],
                       check=True)

    key = hashlib.sha256(",".join(INCLUDE).encode()).hexdigest()[:16]
    entry = cache.entry("deb-roots", f"{release}-{key}", make)
    # Devices are made by whoever mounts /dev.
    subprocess.run(["tar", "-x", "-f", str(entry / "root.tar"), "-C", str(to)], check=True)


def newer(packages: Iterable[Path], to: Path) -> None:
    """The same packages, of a version that is newer by a little."""
    for package in packages:
        with tempfile.TemporaryDirectory(prefix="khob-deb-") as temp:
            subprocess.run(["dpkg-deb", "-R", str(package), temp], check=True)
            control = Path(temp) / "DEBIAN" / "control"
            version = build_deb.version()
            control.write_text(control.read_text().replace(version, f"{version}+1"))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-b", temp, str(to / package.name)],
                           check=True, stdout=subprocess.DEVNULL)


def try_packages(chroot: Chroot, packages: list[Path]) -> None:
    """Installs, looks, upgrades, purges."""
    names = " ".join(package.name.split("_")[0] for package in packages)
    for directory in ("old", "new"):
        (chroot.root / directory).mkdir()
    for package in packages:
        (chroot.root / "old" / package.name).write_bytes(package.read_bytes())
    newer(packages, chroot.root / "new")
    before = chroot.files()
    install = "apt-get install -q -y --no-install-recommends"
    said = chroot.expect("install", f"{install} /old/*.deb")
    if chroot.wrong:
        return
    if "bad exit status" in said:
        chroot.wrong.append(f"install: dkms complains:\n{said}")
    look(chroot)
    chroot.expect("upgrade", f"echo '# mine' >> /etc/kho-bridge/load.conf; {install} /new/*.deb")
    chroot.expect("the upgrade keeps what was configured", "cat /etc/kho-bridge/load.conf",
                  "# mine")
    look(chroot)
    chroot.expect("remove", f"apt-get remove -q -y {names}")
    chroot.expect("kexec is kexec-tools' again", "kexec --version; ! test -e /sbin/kexec.distrib",
                  "kexec-tools")
    # apt does not know those that have left nothing.
    chroot.expect("purge", f"dpkg --purge {names}")
    after = chroot.files()
    chroot.wrong += [f"purge leaves {path}" for path in sorted(after - before)]
    chroot.wrong += [f"purge takes {path}" for path in sorted(before - after)]


def look(chroot: Chroot) -> None:
    """What has to be so while they are installed."""
    chroot.expect("dkms has built both", "dkms status; ls /lib/modules/*/updates/dkms",
                  r"(?s)kho-bridge/[0-9.]+, .*: installed.*kho_bridge\.ko.*kho_luo\.ko")
    chroot.expect("khoctl runs", "khoctl attach --check", code=6)
    chroot.expect("no kernel to load", "khoctl load --dry-run", "load.conf", code=3)
    chroot.expect("libkho for Python", "python3 -c 'import kho; kho.memfd(\"x\", 1)'")
    chroot.expect("abi-gen", "abi-gen emit --lang kernel-c", "from /usr/share/kho-bridge")
    chroot.expect("kexec is khoctl's", "kexec -l /gone || :", "^khoctl: ")
    chroot.expect("what it does not do kexec-tools does", "kexec --version", "kexec-tools")
    chroot.expect("the units", "systemd-analyze verify --man=no " +
                  " ".join(f"/usr/lib/systemd/system/{unit}" for unit in UNITS), r"\A\Z")
    for unit in UNITS:
        chroot.expect("enabled", f"systemctl is-enabled {unit}", "enabled")
    # As the unit does it. systemctl has to find it, and to give it to /sbin/kexec.
    starts = "sed -z 's/\\\\\\n//g' /usr/lib/systemd/system/kho-bridge-load.service"
    chroot.expect("systemctl finds what khoctl offers",
                  f"{starts} | sed -n 's/^ExecStart=//p' | sh -ec '. /dev/stdin'; "
                  "systemctl kexec --dry-run || :; rm -r /run/boot-loader-entries",
                  r"kexec --load \"/run/boot-loader-entries/+khoctl\"")
    chroot.expect("completion for zsh",
                  "zsh -c 'autoload -U compinit; compinit -u; print $_comps[khoctl]'", "_khoctl")


def main() -> int:
    """Return: 0 if all is as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="build directory")
    packages = build_deb.built(parser.parse_args().build / "deb")
    if os.geteuid() != 0:
        print("to install packages in a root takes root", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="khob-root-", dir="/var/tmp") as temp:
        fresh_root(Path(temp))
        chroot = Chroot(Path(temp))
        try_packages(chroot, packages)
    for line in chroot.wrong:
        print(line)
    print(f"packages, installed: {'FAILED' if chroot.wrong else 'ok'}")
    return 1 if chroot.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
