# SPDX-License-Identifier: GPL-2.0-only
"""systemd as Debian ships it, unaltered, on a stock kernel: what a service keeps in its file
descriptor store outlives the kernel.
"""

from __future__ import annotations

from cases.blocks import STATUS, VERIFY, chain, count_is
from khobvm.case import Case, Step
from khobvm.qemu import BASE_CMDLINE

# khob-root takes over what the kernel before has left and starts systemd from the disk. Its
# log is the console's.
_CMDLINE = ("rdinit=/bin/khob-root systemd.log_target=console systemd.log_color=0 "
            "systemd.show_status=0 TERM=dumb")
# The steps run in the initramfs, which systemd has below /run.
_HOST = "chroot /proc/1/root"
_SYSTEMD = Step("systemd", f"{_HOST} /usr/bin/systemctl --version; readlink /proc/1/exe",
                contains=("systemd 26", "/usr/lib/systemd/systemd\n"))
_SHOW = f"{_HOST} /usr/bin/systemctl show khob-store.service"


def _stored(count: int) -> Step:
    return Step("in the store", f"{_SHOW} -p ActiveState -p NFileDescriptorStore",
                contains=("ActiveState=active", f"NFileDescriptorStore={count}\n"))


def _said(*what: str) -> Step:
    return Step("the service", "cat /proc/1/root/run/khob-store.log", contains=what,
                lacks="not ok")


def _sessions(*what: str) -> Step:
    return Step("sessions", "khoctl session ls --json", contains=what)


CASES: tuple[Case, ...] = (
    Case("luo-systemd", "a memfd in systemd's store and one in a session, over systemctl kexec",
         (chain("6.12", _SYSTEMD,
                _said("preserved them in khob-session", "stored them as khob-memory"), _stored(2),
                _sessions('"state": "outgoing"', '"files": 1'),
                Step("load", "khoctl load /boot/vmlinuz-6.12 --initrd $KHOB_INITRD --cmdline "
                             f"'{BASE_CMDLINE} {_CMDLINE} khob.gen=2' --json", timeout=120),
                # It tells systemd and returns; systemd ends this service, then the kernel.
                Step("systemctl kexec", f"{_HOST} /usr/bin/systemctl kexec && sleep 150",
                     timeout=180, final=True)),
          chain("6.12", _SYSTEMD, STATUS, VERIFY,
                _said("khob-memory came back", "khob-session came back"), _stored(1),
                # Neither the session's own pages nor the late room's are left.
                count_is("in.pages", "0"), count_is("out.folios", "0"))),
         extra_cmdline=_CMDLINE, luo=True, helpers=("khob-fdstore",),
         drivers=("virtio_blk", "ext4"), scripts=("selftests/vm/image/khob-root",), disk="systemd",
         boot=180, tags=("luo",)),
)
