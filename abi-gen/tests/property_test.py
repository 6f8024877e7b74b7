#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random schemas: what abi-gen emits in each language says the same, compiled and run.

    ABI_GEN=build/abi-gen/abi-gen property_test.py

ABI_PROPERTY_SCHEMAS is how many schemas (40), ABI_PROPERTY_SEED which (1): the same seed
gives the same schemas. ABI_PROPERTY_KEEP is a directory that everything is left in.

Every constant, string, size and offset that C, C++, Python and the JSON model have for
any version at any page size is held against what random_schema.py computes, and every
vector against the key's formula, decoded, encoded and indexed by C++ and Python.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from random_schema import Combination, Layout, Schema

At = tuple[int | None, int]  # a model: the place of its version, or all of them; page_shift
Part = tuple[dict[str, Any], list[int]]  # an element of a model, and the versions it is for
Outcome = tuple[int, list[str]]  # how many were compared, and what is wrong

ABI_GEN = pathlib.Path(os.environ["ABI_GEN"])
COUNT = int(os.environ.get("ABI_PROPERTY_SCHEMAS", "40"))
SEED = os.environ.get("ABI_PROPERTY_SEED", "1")
JOBS = os.cpu_count() or 1
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O0"]
C = [["gcc", "-std=c11", *WARNINGS], ["clang", "-std=c11", *WARNINGS]]
CPP = [["g++", "-std=c++20", *WARNINGS], ["clang++", "-std=c++20", *WARNINGS]]
CPP_CHUNK = 5  # schemas in a C++ file
MAX_SHOWN = 20
MAX_MESSAGE = 4000
VECTOR = re.compile(r"\{(0x[\da-f]+)ULL, (\d+), (0x[\da-f]+)ULL, \{([\d, ]+)\}\},")

CPP_HEAD = """
#include <cinttypes>
#include <cstdio>
#include <cstring>

template <typename L, typename PhysAddr>
bool good(std::uint64_t pa, unsigned order, std::uint64_t key, const std::uint64_t* index) {
    const typename L::Folio folio{PhysAddr(pa), typename L::Order(order)};
    const typename L::Key coded(key);
    for (unsigned level = 0; level < L::tree_depth; ++level) {
        if (L::index(coded, level) != index[level]) {
            return false;
        }
    }
    return L::encode(folio.pa, folio.order) == coded && L::decode(coded) == folio &&
           L::is_folio(folio.pa, folio.order) && L::is_key(coded) &&
           !L::is_folio(PhysAddr(pa + 1), folio.order);
}

using Check = bool (*)(std::uint64_t, unsigned, std::uint64_t, const std::uint64_t*);
"""
# Behind the list checks: how many vectors of each are wrong.
CPP_VECTORS = """
    std::uint64_t pa = 0, key = 0, index[64] = {};
    unsigned at = 0, order = 0, depth = 0;
    unsigned wrong[sizeof(checks) / sizeof(checks[0])] = {};
    while (std::scanf("%u %" SCNu64 " %u %" SCNu64 " %u", &at, &pa, &order, &key, &depth) == 5) {
        for (unsigned i = 0; i < depth; ++i) {
            if (std::scanf("%" SCNu64, &index[i]) != 1) {
                return 1;
            }
        }
        wrong[at] += checks[at](pa, order, key, index) ? 0 : 1;
    }
    for (const unsigned count : wrong) {
        std::printf("%u\\n", count);
    }
    return 0;
}
"""


class Refused(Exception):
    """A compiler or abi-gen does not take what it is given."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a program prints, and what it should: its name says which schema and where."""

    name: str
    expression: str
    wanted: int | str
    type: str = ""  # what C++ has to call T for it


class Subject:
    """A random schema and what abi-gen made of it."""

    def __init__(self, number: int, top: pathlib.Path) -> None:
        self.seed = f"{SEED}-{number}"
        self.schema = Schema(self.seed, f"p{number}")
        self.dir = top / self.schema.prefix
        self.dir.mkdir()
        path = self.dir / "schema.yaml"
        path.write_text(self.schema.text())
        for words in (["check"], ["emit", "--every", "-o", str(self.dir)]):
            done = subprocess.run([ABI_GEN, *words, "--schema", path], capture_output=True,
                                  text=True, check=False)
            if done.returncode:
                raise Refused(f"seed {self.seed}: abi-gen {words[0]} refuses {path}:\n"
                              f"{done.stderr}")
        self.models: dict[At, dict[str, Any]] = {}
        for at in [*self.schema.usable, *((None, shift) for shift in self.schema.shifts)]:
            text = self.path(at, "model.json").read_text()
            self.models[at] = json.loads(text)

    def path(self, at: At, suffix: str) -> pathlib.Path:
        version = "all" if at[0] is None else self.schema.versions[at[0]]
        return self.dir / f"{version}-{(1 << at[1]) // 1024}k.{suffix}"

    def label(self, at: At, what: str) -> str:
        return f"seed {self.seed}: {self.path(at, '')}: {what}"

    def versions(self, at: At) -> list[int]:
        """Return the versions that are in a model, by their places."""
        names = [version["name"] for version in self.models[at]["versions"]]
        return [self.schema.versions.index(name) for name in names]

    def vectors(self, at: Combination) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.path(at, "vectors.json").read_text())["vectors"]
        return found

    def elements(self, at: At, kind: str) -> Iterator[Part]:
        """Yield each element of a model and the versions that it is for."""
        schema = self.schema
        for section in self.models[at]["sections"]:
            for element in section[kind]:
                if element.get("variant"):
                    yield element, [schema.versions.index(element["variant"])]
                    continue
                ends = [0, len(schema.versions) - 1]
                for place, key in enumerate(("since", "until")):
                    if element[key]:
                        ends[place] = schema.versions.index(element[key])
                yield element, [v for v in self.versions(at) if ends[0] <= v <= ends[1]]


def suffix(element: dict[str, Any]) -> str:
    variant: str = element.get("variant") or ""
    return variant and "_" + variant.replace("-", "_")


def same(name: str, found: Any, wanted: Any) -> list[str]:
    return [] if found == wanted else [f"{name} is {found}, not {wanted}"]


# The JSON model, and whether it has everything

def check_struct(name: str, struct: dict[str, Any], wanted: Layout,
                 fields: dict[str, str]) -> Iterator[str]:
    yield from same(f"{name}: size", struct["size"], wanted.size)
    yield from same(f"{name}: alignment", struct["alignment"], wanted.alignment)
    found = [(f["name"], f["offset"], f["size"], 0 if f["flexible"] else f["length"])
             for f in struct["fields"]]
    yield from same(f"{name}: fields", found,
                    [dataclasses.astuple(place) for place in wanted.fields])
    for field in struct["fields"]:
        yield from same(f"{name}.{field['name']}: type", field["type"], fields[field["name"]])


def check_model(subject: Subject, at: At) -> Iterator[str]:
    schema = subject.schema
    kinds: dict[str, Any] = {"constants": schema.values, "structs": schema.layouts}
    for kind, wanted in kinds.items():
        missing = {(v, name) for v in subject.versions(at) for name in wanted[v, at[1]]}
        missing -= {(v, "page_shift") for v in subject.versions(at)}
        for element, versions in subject.elements(at, kind):
            name = subject.label(at, element["name"])
            for version in versions:
                missing -= {(version, element["name"])}
                value = wanted[version, at[1]].get(element["name"])
                if isinstance(value, Layout):
                    types = {f.name: f.type for f in schema.fields[element["name"]]}
                    yield from check_struct(name, element, value, types)
                else:
                    yield from same(name, element.get("value"), value)
        yield from same(subject.label(at, f"missing {kind}"), missing, set())


def check_vectors(subject: Subject, at: Combination) -> Iterator[str]:
    """The key's formula is KHO's in all schemas; C's vectors are those of the JSON."""
    values = subject.schema.values[at]
    vectors = subject.vectors(at)
    text = subject.path(at, "vectors.inc").read_text()
    in_c = [(int(pa, 0), int(order), int(key, 0), [int(i) for i in index.split(",")])
            for pa, order, key, index in VECTOR.findall(text)]
    yield from same(subject.label(at, "vectors of C"), in_c,
                    [(v["pa"], v["order"], v["key"], v["index"]) for v in vectors])
    for vector in vectors:
        order, shift = vector["order"], at[1] + vector["order"]
        key = 1 << (64 - shift) | vector["pa"] >> shift
        left = key >> values["leaf_log2"]
        index = [key & ((1 << values["leaf_log2"]) - 1)]
        for _ in range(1, values["tree_depth"]):
            index.append(left & ((1 << values["table_log2"]) - 1))
            left >>= values["table_log2"]
        yield from same(subject.label(at, f"vector {vector['pa']:#x} of order {order}"),
                        (vector["key"], vector["index"]), (key, index))


# Python

def check_python(subject: Subject, at: At) -> Iterator[str]:
    path = subject.path(at, "py")
    module: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), module)  # what abi-gen wrote just now
    for element, versions in subject.elements(at, "constants"):
        name = element["name"].upper() + suffix(element).upper()
        yield from same(subject.label(at, name), module[name],
                        subject.schema.values[versions[0], at[1]][element["name"]])
    for element, versions in subject.elements(at, "structs"):
        struct = module["STRUCTS"][element["name"] + suffix(element)]
        wanted = subject.schema.layouts[versions[0], at[1]][element["name"]]
        found = [(name, f.offset, f.size, f.length) for name, f in struct.fields.items()]
        yield from same(subject.label(at, element["name"]), (struct.size, found),
                        (wanted.size, [dataclasses.astuple(p) for p in wanted.fields]))
    if at[0] is not None:
        for vector in subject.vectors((at[0], at[1]))[::7]:
            pa, order, key = vector["pa"], vector["order"], vector["key"]
            index = [module["key_index"](key, level) for level in range(len(vector["index"]))]
            yield from same(
                subject.label(at, f"key {key:#x}"),
                (module["key_encode"](pa, order), module["key_decode"](key), index),
                (key, (pa, order), vector["index"]))


# C: one program for the same place in every schema's list of models

def c_claims(subject: Subject, at: At) -> Iterator[Claim]:
    schema, big = subject.schema, subject.schema.prefix.upper()
    for element, versions in subject.elements(at, "constants"):
        name = f"{big}_{element['name']}{suffix(element)}".upper()
        yield Claim(subject.label(at, name), name,
                    schema.values[versions[0], at[1]][element["name"]])
    for element, _ in subject.elements(at, "strings"):
        name = f"{big}_{element['name']}".upper()
        yield Claim(subject.label(at, name), name, element["value"])
    for element, _ in subject.elements(at, "properties"):
        name = f"{big}_PROP_{element['name']}".upper()
        yield Claim(subject.label(at, name), name, element["property"])
    for element, versions in subject.elements(at, "structs"):
        name = f"struct {schema.prefix}_{element['name']}{suffix(element)}"
        layout = schema.layouts[versions[0], at[1]][element["name"]]
        label = subject.label(at, name)
        yield Claim(f"{label}: size", f"sizeof({name})", layout.size)
        yield Claim(f"{label}: alignment", f"_Alignof({name})", layout.alignment)
        for field in layout.fields:
            yield Claim(f"{label}.{field.name}: offset", f"offsetof({name}, {field.name})",
                        field.offset)
            if field.length != 0:
                yield Claim(f"{label}.{field.name}: size",
                            f"sizeof((({name} *)0)->{field.name})", field.size)


def prints(claims: list[Claim]) -> Iterator[str]:
    for claim in claims:
        text = f'printf("%s\\n", {claim.expression});'
        if isinstance(claim.wanted, int):
            text = f'printf("%llu\\n", (unsigned long long)({claim.expression}));'
        yield f"    {{ using T = {claim.type}; {text} }}" if claim.type else f"    {text}"


def run(command: list[str], source: pathlib.Path, text: str, given: str = "") -> list[str]:
    """Compile and run a program; return the lines that it prints."""
    source.write_text(text)
    program = source.with_suffix("")
    made = subprocess.run([*command, str(source), "-o", str(program)], capture_output=True,
                          text=True, check=False)
    if made.returncode:
        raise Refused(f"{' '.join(command)} {source}:\n{made.stderr[:MAX_MESSAGE]}")
    done = subprocess.run([program], input=given, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def compare(claims: list[Claim], lines: list[str]) -> list[str]:
    wrong = same("the number of lines", len(lines), len(claims))
    for claim, line in zip(claims, lines):
        wrong += same(claim.name, line, str(claim.wanted))
    return wrong


def check_c(subjects: list[Subject], place: int, top: pathlib.Path) -> Outcome:
    """Compile the headers of all schemas at this place of their lists of models."""
    chosen = [(s, list(s.models)[place]) for s in subjects if place < len(s.models)]
    claims = [claim for subject, at in chosen for claim in c_claims(subject, at)]
    text = ["#include <stdio.h>", *(f'#include "{s.path(at, "h")}"' for s, at in chosen),
            "int main(void)", "{", *prints(claims), "    return 0;", "}"]
    try:
        lines = run(C[place % len(C)], top / f"c{place}.c", "\n".join(text) + "\n")
    except Refused as error:
        return 0, [str(error)]
    return len(claims), compare(claims, lines)


# C++: one header of each schema has all page sizes, and the versions that one of them has

def cpp_claims(subject: Subject, header: At) -> Iterator[Claim]:
    schema, abi = subject.schema, f"{subject.schema.prefix}::abi"
    for kind, prefix, value in (("strings", "", "value"), ("properties", "prop_", "property")):
        for element, _ in subject.elements(header, kind):
            name = f"{abi}::{prefix}{element['alias']}"
            yield Claim(subject.label(header, name), f"{name}.data()", element[value])
    for at in cpp_combinations(subject, header):
        layout = cpp_layout(subject, at)
        for kind in ("constants", "structs"):
            for element, versions in subject.elements(header, kind):
                if at[0] not in versions:
                    continue
                home = layout if element["dependent"] else abi
                name = f"{home}::{element['alias']}"
                label = subject.label(at, f"C++ {name}")
                if kind == "constants":
                    yield Claim(label, name, schema.values[at][element["name"]])
                else:
                    yield from cpp_struct(label, name, schema.layouts[at][element["name"]])
    for at in schema.combinations:
        if at[0] in subject.versions(header):
            name = f"{abi}::supported({at[1]}, {cpp_version(subject, at[0])})"
            yield Claim(subject.label(at, name), name, int(at in schema.usable))


def cpp_struct(label: str, name: str, layout: Layout) -> Iterator[Claim]:
    yield Claim(f"{label}: size", "sizeof(T)", layout.size, name)
    yield Claim(f"{label}: alignment", "alignof(T)", layout.alignment, name)
    for field in layout.fields:
        if field.length != 0:  # ISO C++ has no flexible arrays
            yield Claim(f"{label}.{field.name}: offset", f"offsetof(T, {field.name})",
                        field.offset, name)
            yield Claim(f"{label}.{field.name}: size", f"sizeof(T::{field.name})", field.size,
                        name)


def cpp_version(subject: Subject, version: int) -> str:
    name = subject.schema.versions[version].replace("-", "_")
    return f"{subject.schema.prefix}::abi::Version::{name}"


def cpp_layout(subject: Subject, at: Combination) -> str:
    return f"{subject.schema.prefix}::abi::Layout<{at[1]}, {cpp_version(subject, at[0])}>"


def cpp_combinations(subject: Subject, header: At) -> list[Combination]:
    return [at for at in subject.schema.usable if at[0] in subject.versions(header)]


def check_cpp(chosen: list[tuple[Subject, At]], place: int, top: pathlib.Path) -> Outcome:
    """Compile a header of some schemas, which have all versions of a page size, and run it."""
    claims = [claim for subject, at in chosen for claim in cpp_claims(subject, at)]
    checks: list[str] = []
    given: list[str] = []
    counts: list[Claim] = []
    for subject, header in chosen:
        for at in cpp_combinations(subject, header):
            for v in subject.vectors(at):
                index = " ".join(str(i) for i in v["index"])
                given.append(f"{len(checks)} {v['pa']} {v['order']} {v['key']} "
                             f"{len(v['index'])} {index}")
            checks.append(f"    good<{cpp_layout(subject, at)}, "
                          f"{subject.schema.prefix}::abi::PhysAddr>,")
            counts.append(Claim(subject.label(at, "wrong vectors in C++"), "", 0))
    text = [*(f'#include "{subject.path(at, "hpp")}"' for subject, at in chosen), CPP_HEAD,
            "static const Check checks[] = {", *checks, "};", "int main() {", *prints(claims),
            CPP_VECTORS]
    try:
        lines = run(CPP[place % len(CPP)], top / f"cpp{place}.cpp", "\n".join(text),
                    "\n".join(given) + "\n")
    except Refused as error:
        return 0, [str(error)]
    return len(claims) + len(given), compare(claims + counts, lines)


def check_texts(subject: Subject) -> Outcome:
    wrong = []
    for at in subject.models:
        wrong += [*check_model(subject, at), *check_python(subject, at)]
        if at[0] is not None:
            wrong += check_vectors(subject, (at[0], at[1]))
    return 0, wrong


def most_versions(subject: Subject) -> At:
    return max(((None, shift) for shift in subject.schema.shifts),
               key=lambda at: len(subject.versions(at)))


def check_all(top: pathlib.Path) -> Outcome:
    """Make all schemas and check them; processes wait for compilers, so threads will do."""
    with ThreadPoolExecutor(JOBS) as pool:
        subjects = list(pool.map(lambda n: Subject(n, top), range(COUNT)))
        made = time.monotonic()
        headers = [(s, most_versions(s)) for s in subjects]
        chunks = [headers[i:i + CPP_CHUNK] for i in range(0, COUNT, CPP_CHUNK)]
        waiting = [pool.submit(check_cpp, chunk, i, top) for i, chunk in enumerate(chunks)]
        waiting += [pool.submit(check_c, subjects, place, top)
                    for place in range(max(len(s.models) for s in subjects))]
        waiting += [pool.submit(check_texts, subject) for subject in subjects]
        outcomes = [future.result() for future in waiting]
    print(f"compared in {time.monotonic() - made:.1f} s")
    return sum(count for count, _ in outcomes), [w for _, wrong in outcomes for w in wrong]


def main() -> int:
    """Return: 0 if all agree."""
    start = time.monotonic()
    print(f"seeds {SEED}-0 to {SEED}-{COUNT - 1}; one of them: random_schema.py {SEED}-0",
          flush=True)
    with tempfile.TemporaryDirectory(prefix="abi-property-") as scratch:
        top = pathlib.Path(os.environ.get("ABI_PROPERTY_KEEP", scratch)).resolve()
        top.mkdir(exist_ok=True)
        try:
            count, wrong = check_all(top)
        except (Refused, subprocess.CalledProcessError) as error:
            print(error)
            return 1
    for line in wrong[:MAX_SHOWN]:
        print(line)
    print(f"{COUNT} schemas, {count} values and vectors, {len(wrong)} wrong, "
          f"{time.monotonic() - start:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
