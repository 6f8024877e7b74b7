# SPDX-License-Identifier: GPL-2.0-only
"""The steps of a soak (khobvm/model.py): every generation finds what the model says it must,
changes what the model changes, and hands the rest on. `khobvm soak` runs it; no list has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cases.blocks import (ATTACH, DEBUGFS, EXEC, FREE_KIB, INSMOD, RELEASE, RESTORE, RMMOD,
                          STATUS, TOTAL_KIB, UNLOAD)
from cases.payload import BY_NAME, ENDS, KHO, load
from khobvm.case import Case, Generation, Step
from khobvm.model import Blob, Client, Held, Life, Place
from khobvm.soak import WRONG

_CLIENT = "khob_keep"
_PARAMETERS = f"/sys/module/{_CLIENT}/parameters"
_SUBTREE = "khob-keep"
_INTERNAL = ("kexec-metadata", "kho-bridge", "kho-bridge-records")
# A kernel with KHO that is off must not be handed the version that it reads itself.
_ABIS = {"kho=on": ("kho-v4",), "kho=off": ("kho-v2", "kho-v3"),
         "": ("kho-v2", "kho-v3", "kho-v4")}
PLACES = tuple(Place(end.name, end.native, _ABIS[end.kho]) for end in ENDS)
# Their output is MemTotal and what is free, in KiB.
MEMORY_STEP = "memory on arrival"
END_STEP = "memory at the end"


def _same(name: str, command: str, wanted: Iterable[str]) -> Step:
    """The command's lines, sorted, must be these."""
    lines = "\n".join(sorted(wanted))
    return Step(name, f"""
{command} | sort > /tmp/found
cat > /tmp/wanted <<'END'
{lines}
END
sed -i '/^$/d' /tmp/found /tmp/wanted
cat /tmp/found
comm -23 /tmp/found /tmp/wanted | sed 's/$/ is there{WRONG}it is not/'
comm -13 /tmp/found /tmp/wanted | sed 's/$/ is not there{WRONG}it is/'
""", lacks=WRONG, timeout=120)


def _status(name: str, wanted: Mapping[str, object]) -> Step:
    """Values of the module's status file."""
    lines = "\n".join(f"{key}: {value}".rstrip() for key, value in wanted.items())
    return Step(name, f"""
sed 's/ *$//' {DEBUGFS}/status > /tmp/status
while read -r line; do
    found=$(grep "^${{line%%:*}}:" /tmp/status)
    echo "$found"
    test "$found" = "$line" || echo "${{found:-${{line%%:*}} is missing}}{WRONG}${{line#*: }}"
done <<'END'
{lines}
END
""", lacks=WRONG)


def _verify(held: Held, client: bool) -> Step:
    """client: whether its table is there as a blob.

    Of blobs that are not the model's there may be a record of kexec-metadata, which the
    kernel's own KHO writes without one, and of the table, if it was copied.
    """
    most = held.records + 1 + int(client)
    return Step("verify", f"""
khoctl verify --json > /tmp/verify; code=$?
cat /tmp/verify
v=$(sed -n 's/^ *"verified": \\([0-9]*\\),$/\\1/p' /tmp/verify)
test "$v" -ge {held.records} && test "$v" -le {most} ||
    echo "verified records: $v{WRONG}{held.records} to {most}"
exit $code
""", contains=('"corrupt": 0,', '"lost": 0,', '"restored": 0,',
               f'"verified_pages": {held.pages},'), lacks=WRONG, timeout=180)


def _contents(blobs: Iterable[Blob]) -> tuple[Step, ...]:
    names = sorted(blobs, key=lambda b: b.name)
    if not names:
        return ()
    sums = "\n".join(f"{b.sha256()}  {b.name}" for b in names)
    return (Step("contents", f"""
mkdir /tmp/blobs && cd /tmp/blobs || exit 1
for n in {' '.join(b.name for b in names)}; do khoctl get $n -o $n || exit 1; done
sha256sum -c - <<'END'
{sums}
END
code=$?
wc -c *
cd /tmp && rm -r blobs
exit $code
""", timeout=120),)


def _run(action: str) -> str:
    return (f"echo {action} > {_PARAMETERS}/run || "
            f"{{ dmesg | grep {_CLIENT} | tail -n 3; exit 1; }}")


def _client(name: str, actions: Iterable[str]) -> Step:
    return Step(f"the client: {name}", "\n".join(map(_run, actions)), timeout=120)


def _insmod_client(life: Life) -> Step:
    where = "extra/native" if life.client is Client.KERNEL else "extra"
    return Step("insmod the client", f"insmod /lib/modules/$(uname -r)/{where}/{_CLIENT}.ko")


def _items(held: Held) -> Step:
    return _same("the client's items", f"cat {_PARAMETERS}/list",
                 (item.line() for item in held.items.values()))


def _subtrees(held: Held, client: bool) -> Step:
    names = [*held.blobs, *((_SUBTREE,) if client else ())]
    internal = " ".join(f"-e {name}" for name in _INTERNAL)
    return _same("subtrees", f"ls {DEBUGFS}/in/sub_fdts | grep -vxF {internal}", names)


def _restore_client(life: Life) -> tuple[Step, ...]:
    """Nothing was saved before the first kexec."""
    if not life.found.saved:
        return (_insmod_client(life),)
    return (_insmod_client(life), _client("restore", ("restore",)), _items(life.found))


def _came_back(pages: int) -> Step:
    """MemTotal has grown by exactly what was restored since arrival."""
    return Step("restored memory counts", f"""
now=$({TOTAL_KIB})
echo "MemTotal was $(cat /tmp/total), is $now KiB"
test $((now - $(cat /tmp/total))) = {4 * pages} ||
    echo "MemTotal has grown by $((now - $(cat /tmp/total))) KiB{WRONG}{4 * pages}"
""", lacks=WRONG)


def _arrival(life: Life) -> tuple[Step, ...]:
    held = life.found
    orders = {} if life.found_pages > held.pages else {"in.orders": held.orders()}
    # What the kernel's own KHO holds its client may have at once.
    first = _restore_client(life) if life.client is Client.KERNEL else ()
    own = _restore_client(life) if life.client is Client.BRIDGE else ()
    return (*first, ATTACH, _status("status on arrival", {
        "in.kexec_count": life.number - 1, "in.abi": life.abi,
        "in.method": "kho" if life.place.native else "indirect",
        "in.pages": life.found_pages, **orders, "out.folios": 0, "last_error": ""}),
        _verify(held, held.saved), _subtrees(held, life.found_table),
        *_contents(held.blobs.values()),
        Step(MEMORY_STEP, f"total=$({TOTAL_KIB}); echo $total > /tmp/total; "
                          f"echo $total $({FREE_KIB})"),
        *own, *_taken(life))


def _taken(life: Life) -> tuple[Step, ...]:
    steps: list[Step] = []
    for folios, skip in life.restored:
        steps.append(Step(f"restore {folios.count} of order {folios.order}", f"""
khoctl walk --in | awk '$2 == "{folios.order}" {{print $1}}' | tail -n +{skip + 1} |
    head -n {folios.count} > /tmp/out
test $(wc -l < /tmp/out) = {folios.count} || exit 1
while read -r addr; do
    echo $addr {folios.order} > {DEBUGFS}/in/restore || exit 1
done < /tmp/out
""", timeout=120))
    steps.append(_came_back(life.came_pages + life.restored_pages))
    # Who asks for it once more is refused, and last_error says so.
    steps += [Step(f"release {name}", f"khoctl release subtree {name} && "
                                      f"! test -e {DEBUGFS}/in/sub_fdts/{name}")
              for name in life.released]
    if life.dropped:
        steps.append(_client("drop", (f"drop {name}" for name in life.dropped)))
    return tuple(steps)


def _copy_released(life: Life) -> tuple[Step, ...]:
    """The client is about to hand over its table under the same name."""
    if not life.found.copied or life.client is Client.ABSENT:
        return ()
    return (Step("release the copy", f"khoctl release subtree {_SUBTREE}"),)


# A kernel's own KHO shows what others have preserved as well, once there is something of ours.
_OTHERS = Step("what others have preserved", f"""
khoctl preserve --pages 512 --order 9 --seed 1 --json || exit 1
khoctl walk --out > /tmp/out
awk '$2 != "9" {{print $1, $2}}' /tmp/out > /tmp/others
awk '$2 == "9" {{print $1, $2}}' /tmp/out > {DEBUGFS}/out/unpreserve
""", timeout=120)


def _added(life: Life) -> tuple[Step, ...]:
    steps = [_OTHERS] if life.unpreserved else []
    steps += [Step(f"preserve {p.folios.count} of order {p.folios.order}",
                   f"khoctl preserve --pages {p.folios.count << p.folios.order} --order "
                   f"{p.folios.order} --seed {p.seed} {'--scatter 25' if p.scatter else ''} "
                   "--json", timeout=120) for p in life.preserved]
    for blob in life.put:
        last = blob.start + blob.size // 8 + 8
        steps.append(Step(f"put {blob.name}", f"seq {blob.start} {last} | head -c {blob.size} | "
                                              f"khoctl put {blob.name} -"))
    for folios in life.unpreserved:
        steps.append(Step(f"unpreserve {folios.count} of order {folios.order}", f"""
khoctl walk --out | awk '{{print $1, $2}}' | sort - /tmp/others | uniq -u |
    awk '$2 == "{folios.order}" {{print $1}}' | head -n {folios.count} > /tmp/out
test $(wc -l < /tmp/out) = {folios.count} || exit 1
while read -r addr; do
    echo $addr {folios.order} > {DEBUGFS}/out/unpreserve || exit 1
done < /tmp/out
""", timeout=120))
    steps += [Step(f"take {name} back", f"khoctl unpreserve subtree {name}")
              for name in life.removed]
    if life.compact:
        steps.append(Step("compact", "khoctl compact --json", timeout=120))
    return (*steps, *_saved(life))


def _saved(life: Life) -> tuple[Step, ...]:
    if life.client is Client.ABSENT:
        return ()
    actions = [f"add {item.line()}" for item in life.kept]
    actions += ["save", *(("forget", "save") if life.forget else ())]
    return (_client("save", actions), _items(life.left))


def _outgoing(life: Life) -> dict[str, object]:
    """What status says before the kernel is loaded."""
    own = life.client is Client.BRIDGE
    return {"out.pages": life.added_pages, "in.pages": life.carried_pages,
            "out.subtrees": len(life.put) - len(life.removed) + int(own), "last_error": ""}


def _departure(life: Life, after: Life) -> tuple[Step, ...]:
    chosen = life.place.native or after.place.native
    leave = load(BY_NAME[life.place.name], BY_NAME[after.place.name], after.number,
                 "" if chosen else after.abi)
    again = (leave, UNLOAD) if life.reload else ()
    return (_status("status before the kexec", _outgoing(life)), *again, leave, STATUS, EXEC)


_EMPTY = _status("nothing is left", {"in.pages": 0, "in.keys": 0, "out.pages": 0,
                                     "out.subtrees": 0})


def _end(life: Life) -> tuple[Step, ...]:
    return (_client("drop", (f"drop {name}" for name in sorted(life.found.items))), RESTORE,
            _came_back(life.found.pages + life.came_pages), RELEASE, _EMPTY, STATUS,
            Step("rmmod the client", f"rmmod {_CLIENT}"), RMMOD,
            Step(END_STEP, f"echo $({TOTAL_KIB}) $({FREE_KIB})"))


def generation(life: Life, after: Life | None) -> Generation:
    """The steps of a life; after: that of the next kernel, if there is one."""
    steps: tuple[Step, ...] = (INSMOD, _insmod_client(life), Step(
        MEMORY_STEP, f"echo $({TOTAL_KIB}) $({FREE_KIB})")) \
        if life.number == 1 else _arrival(life)
    steps += (*_copy_released(life), *_added(life), *_departure(life, after)) \
        if after else _end(life)
    return Generation(BY_NAME[life.place.name].series, steps)


def soak(lives: Sequence[Life]) -> Case:
    """The case that goes through these lives."""
    first = BY_NAME[lives[0].place.name]
    return Case("soak", f"{len(lives) - 1} kexecs in a row",
                tuple(generation(life, after) for life, after in
                      zip(lives, [*lives[1:], None])),
                memory=2048, extra_cmdline=first.kho, clients=(_CLIENT,), own_kho_clients=(KHO,),
                boot=120, tags=("soak",), suite="interop")
