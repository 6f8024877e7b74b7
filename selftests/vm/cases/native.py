# SPDX-License-Identifier: GPL-2.0-only
"""From a kernel whose own KHO is on: what is preserved is registered with it as well."""

from __future__ import annotations

from cases.blocks import (ATTACH, CMDLINE, DEBUGFS, EXEC, FILE, FREE_KIB, GET, INSMOD, PUT, RELEASE,
                          RESTORE, RMMOD, STATUS, UNLOAD, VERIFY, at_least, count_is, preserve)
from khobvm.case import Case, Generation, Module, Step

_KHO = "7.3"
_EXTRA = "/lib/modules/$(uname -r)/extra"
_NATIVE = count_is("source", "native")
_TAKEN = Step("the kernel took it", "dmesg | grep -i kho; cat /proc/cmdline",
              contains=("found kexec handover data", "exec from: "), lacks="disabling KHO")
_FREE = Step("free memory", f"({FREE_KIB}) > /tmp/free; cat /tmp/free")
_BACK = Step("memory is back", f"set -- $(cat /tmp/free) $({FREE_KIB}); "
                               "echo free: before $1 after $2 KiB; test $(($1 - $2)) -lt 2048")
_INSMOD_BOTH = Step("insmod khob_both", f"insmod {_EXTRA}/khob_both.ko")


def _both(what: str) -> Step:
    return Step(what, f"echo {what} > /sys/module/khob_both/parameters/run || "
                      "{ dmesg | grep khob_both | tail -n 3; exit 1; }")


def _load(kernel: str, generation: int, kho: str, options: str, contains: str) -> Step:
    return Step("load", f"khoctl load /boot/vmlinuz-{kernel} --initrd $KHOB_INITRD --cmdline "
                        f"'{CMDLINE}{generation} {kho}' {options} --json",
                contains=f'"method": "{contains}"', timeout=180)


def _changed(value: str) -> Step:
    """Whether others have changed the kernel's own tree since the load."""
    return Step(f"others changed: {value}", f"cat {DEBUGFS}/out/others_changed",
                contains=f"{value}\n")


def _case(name: str, doc: str, load: Step, after: str, *first: Step) -> Case:
    return Case(f"native-{name}", doc,
                (Generation(_KHO, (INSMOD, _NATIVE, count_is("native.abi", "kho-v4"), FILE,
                                   preserve(16384, scatter="--scatter"), PUT,
                                   # Of the kernel's own, as its file in debugfs says.
                                   Step("with the kernel",
                                        "cmp /tmp/file /sys/kernel/debug/kho/out/sub_fdts/file"),
                                   load, STATUS, EXEC)),
                 Generation(after, (*first, ATTACH, STATUS, VERIFY, GET, RESTORE, RELEASE, STATUS,
                                    RMMOD))),
                memory=2048, cpus=2, extra_cmdline="kho=on", tags=("native",), suite="interop")


CASES: tuple[Case, ...] = (
    _case("file", "7.3's own KHO hands over to itself, loaded with kexec_file_load",
          _load(_KHO, 2, "kho=on", "", "file"), _KHO, _TAKEN),
    _case("kho", "the same, loaded by khoctl",
          _load(_KHO, 2, "kho=on", "--method kho", "kho"), _KHO, _TAKEN),
    _case("off", "7.3's own KHO hands over to 7.3 that has it off",
          _load(_KHO, 2, "kho=off", "", "indirect"), _KHO),
    Case("native-test-kho", "lib/test_kho.c preserves with 7.3's own KHO, and restores on 6.12",
         (Generation(_KHO, (
             INSMOD, _NATIVE, preserve(1024), Step("insmod test_kho",
                                                   f"insmod {_EXTRA}/test_kho.ko"),
             Step("in the kernel's tree", f"wc -l < {DEBUGFS}/out/keys; khoctl ls",
                  timeout=120),
             # How many folios test_kho takes is up to chance: one at least, its list of them with
             # the page that describes that, and its FDT.
             _load("6.12", 2, "", "", "indirect"), at_least("others", "out.others_keys", 4),
             _changed("0"), STATUS,
             # What comes and goes after the load is not in what was loaded.
             Step("rmmod test_kho", "rmmod test_kho"),
             _changed("1"),
             Step("exec is refused", "khoctl exec", expect=3, contains="khoctl unload"),
             UNLOAD, count_is("out.others_keys", "0"),
             Step("insmod test_kho again", f"insmod {_EXTRA}/test_kho.ko"),
             Step("load again", _load("6.12", 2, "", "", "indirect").command, timeout=180),
             EXEC)),
          Generation("6.12", (ATTACH, VERIFY,
                              Step("subtrees", "khoctl ls",
                                   contains=("kexec-metadata", "kho_test")),
                              # A client's of the kernel's, which is an FDT.
                              Step("one is readable",
                                   f"od -An -tx1 -N4 {DEBUGFS}/in/sub_fdts/kho_test",
                                   contains="d0 0d fe ed"),
                              Step("insmod test_kho", f"insmod {_EXTRA}/test_kho.ko"),
                              Step("test_kho says so", "dmesg | grep test_kho",
                                   contains="test_kho: KHO restore succeeded", always=True),
                              RESTORE, RELEASE, STATUS))),
         memory=2048, extra_cmdline="kho=on", clients=("test_kho",), native_clients=(_KHO,),
         tags=("native", "clients"), suite="interop"),
    Case("native-restored", "what 7.3's own KHO has given back can be handed over again",
         (Generation(_KHO, (INSMOD, _NATIVE, _INSMOD_BOTH, _both("save"),
                            _load(_KHO, 2, "kho=on", "", "file"), EXEC)),
          Generation(_KHO, (ATTACH, _INSMOD_BOTH, _both("restore"), count_is("out.folios", "0"),
                            # A table that has been taken is no subtree, whoever took it.
                            _both("restore-table"), _load(_KHO, 3, "kho=off", "", "indirect"),
                            EXEC)),
          Generation(_KHO, (ATTACH, STATUS, count_is("in.pages", "2"),
                            Step("no table", f"ls {DEBUGFS}/in/sub_fdts",
                                 contains="kexec-metadata", lacks="khob-both"),
                            RELEASE, RMMOD))),
         memory=1024, extra_cmdline="kho=on", clients=("khob_both",),
         tags=("native", "clients"), suite="interop"),
    Case("native-taken", "a subtree is not left behind for another client's of the same name",
         (Generation(_KHO, (INSMOD, _NATIVE, FILE, PUT, _load(_KHO, 2, "kho=on", "", "file"),
                            EXEC)),
          Generation(_KHO, (ATTACH, _INSMOD_BOTH, _both("name"), *(
              Step(f"load with {kho}", _load(_KHO, 3, kho, "", "").command, expect=3,
                   contains="has a subtree file, and so has what the kernel before left: release",
                   timeout=180) for kho in ("kho=on", "kho=off")),
              _both("unname"), _load(_KHO, 3, "kho=on", "", "file"), UNLOAD, GET,
              _both("name"), Step("release", "khoctl release subtree file"),
              _load(_KHO, 3, "kho=on", "", "file"), UNLOAD))),
         memory=1024, extra_cmdline="kho=on", clients=("khob_both",),
         tags=("native", "clients"), suite="interop"),
    # After a handover the kernel shows its root FDT in debugfs no more.
    Case("native-chain", "what was not restored goes on from 7.3's own KHO to 7.3's and to 6.12",
         (Generation(_KHO, (INSMOD, FILE, preserve(8192, scatter="--scatter"), PUT,
                            _load(_KHO, 2, "kho=on", "", "file"), EXEC)),
          Generation(_KHO, (ATTACH, _NATIVE, count_is("in.kexec_count", "1"), VERIFY, GET,
                            preserve(1024, seed=9), _load(_KHO, 3, "kho=on", "", "file"),
                            at_least("carried", "out.carried_keys", 1), EXEC)),
          Generation(_KHO, (ATTACH, count_is("in.kexec_count", "2"), VERIFY, GET,
                            count_is("in.pages", "9216"),
                            _load(_KHO, 4, "kho=on", "--method kho", "kho"), EXEC)),
          Generation(_KHO, (ATTACH, count_is("in.kexec_count", "3"), VERIFY, GET,
                            _load("6.12", 5, "", "", "indirect"), EXEC)),
          Generation("6.12", (ATTACH, count_is("in.kexec_count", "4"), VERIFY, GET,
                              count_is("in.pages", "9216"), RESTORE, RELEASE, STATUS, RMMOD))),
         memory=2048, cpus=2, extra_cmdline="kho=on", tags=("native",), suite="interop"),
    Case("native-again", "what is registered with the kernel's own KHO is taken back",
         (Generation(_KHO, (
             INSMOD, _NATIVE, Step("keys before", f"wc -l < {DEBUGFS}/out/keys > /tmp/keys; "
                                                  "cat /tmp/keys"),
             _FREE, FILE, preserve(16384), PUT,
             _load(_KHO, 2, "kho=on", "", "file"), UNLOAD,
             _load(_KHO, 2, "kho=on", "--method kho", "kho"), UNLOAD,
             _load("6.12", 2, "", "", "indirect"), UNLOAD,
             Step("unpreserve", "khoctl unpreserve all && khoctl unpreserve subtree file "
                                "&& rm /tmp/file"),
             Step("keys after", f"wc -l < {DEBUGFS}/out/keys; wc -l < {DEBUGFS}/out/keys | "
                                "cmp - /tmp/keys; ls /sys/kernel/debug/kho/out/sub_fdts",
                  lacks=("file", "kho-bridge")),
             RMMOD, _BACK), needs_initrd=True),),
         memory=2048, kernels=("6.12", _KHO), extra_cmdline="kho=on", module=Module.NORMAL,
         tags=("native",), suite="interop"),
)
