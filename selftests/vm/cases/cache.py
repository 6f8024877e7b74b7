# SPDX-License-Identifier: GPL-2.0-only
"""A cache that is warm under the next kernel: Debian's memcached, on Debian 13 with systemd, keeps
what it has in a file on tmpfs that `khoctl keep` hands over.
"""

from __future__ import annotations

from cases.blocks import STATUS, VERIFY, chain, count_is
from khobvm.case import Case, Step

# khob-root takes over what the kernel before has left and starts systemd from the disk. Its
# log is the console's.
CMDLINE = ("rdinit=/bin/khob-root systemd.log_target=console systemd.log_color=0 "
           "systemd.show_status=0 TERM=dumb")
# The steps run in the initramfs, which systemd has below /run; the machine's own root is here.
HOST = "/proc/1/root"
ON_HOST = f"chroot {HOST}"
_CONF = f"{HOST}/etc/memcached.conf"
_CLOCK = f"{HOST}/var/log/hit.tsc"
# What the image's /etc/memcached.conf says.
_MIB = 64
# With a restart file memcached gives a MiB to each size of its items beforehand; of the rest each
# MiB has room for so many keys, with their heads and a value of so many bytes.
_SIZES_MIB = 40
_SMALL, _LARGE = (220, 4000), (12, 64000)


def active(*units: str) -> Step:
    """Units are up."""
    return Step("units", f"{ON_HOST} /usr/bin/systemctl is-active {' '.join(units)}")


def next_kernel(kernel: str, more: str = "") -> Step:
    """Loads the next generation's kernel: so does the load that counts, at the end of this one."""
    words = (f"/run/khob/boot/vmlinuz-{kernel} --initrd /run/next.img --json --reuse-cmdline "
             f"--cmdline khob.gen=2{more}")
    return Step("load", f"cp $KHOB_INITRD {HOST}/run/next.img && "
                        f"{ON_HOST} /usr/local/bin/khoctl load {words}", timeout=180)


# It tells systemd and returns; systemd ends this service, then the kernel.
KEXEC = Step("systemctl kexec", f"{ON_HOST} /usr/bin/systemctl kexec && sleep 150", timeout=180,
             final=True)
# What kho-bridge-keep.service has said: under this kernel, and as the last one ended.
_LOG = f"{HOST}/var/log/kho-keep.log"
KEPT = (Step("the last load", f"sed -n '/^{{/,/^}}/p' {_LOG}", contains='"left_out": []'),
        Step("restored", f"cat {_LOG}", contains="others: 1\n", lacks="kho-keep: "))


def _cache(name: str, what: str, percent: int) -> Step:
    return Step(name, f"khob-cache {what}", contains=f'"percent": {percent},', timeout=300)


def measured(mib: int, name: str, memory: int) -> Case:
    """A cache of so many MiB, filled as far as nothing is evicted."""
    each, value = _SMALL if mib == _MIB else _LARGE
    keys = f"{(mib - _SIZES_MIB) * each} {value}"
    larger = () if mib == _MIB else (
        Step("as large", f"sed -i 's/^-m .*/-m {mib}/' {_CONF} && "
                         f"{ON_HOST} /usr/bin/systemctl restart memcached.service", timeout=120),)
    return Case(
        name, f"memcached starts with a warm cache of {mib} MiB, over systemctl kexec",
        (chain("6.12", *larger, active("kho-bridge-keep.service", "memcached.service"),
               _cache("empty", f"read {keys}", 0),
               _cache("fill", f"fill {keys}", 100), _cache("full", f"read {keys}", 100),
               next_kernel("6.12"),
               Step("last hit", f"khob-clock mark {_CLOCK}"), KEXEC),
         chain("6.12", active("kho-bridge-keep.service", "memcached.service"),
               Step("first hit", f"khob-cache read 1 {value} && khob-clock since {_CLOCK}",
                    contains='"percent": 100,', timeout=120),
               *KEPT, STATUS, VERIFY, _cache("warm", f"read {keys}", 100),
               count_is("in.pages", "0"), count_is("out.folios", "0"),
               Step("cold", f"{ON_HOST} /usr/bin/systemctl stop memcached.service && "
                            f"rm {HOST}/keep/memcached/cache* && "
                            f"{ON_HOST} /usr/bin/systemctl start memcached.service", timeout=120),
               _cache("nothing hits", f"read {keys}", 0))),
        memory=memory, extra_cmdline=CMDLINE, luo=True, helpers=("khob-cache", "khob-clock"),
        drivers=("virtio_blk", "ext4"), scripts=("selftests/vm/image/khob-root",),
        disk="memcached", boot=180, tags=("keep",))


CASES: tuple[Case, ...] = (measured(_MIB, "keep-memcached", 1024),)
