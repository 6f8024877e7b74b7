// SPDX-License-Identifier: GPL-2.0-only
// A small schema of a device that tests alter.
#ifndef KHOB_ABI_GEN_TESTS_DEVICE_FIXTURE_HPP
#define KHOB_ABI_GEN_TESTS_DEVICE_FIXTURE_HPP

#include <string>

#include "fixture.hpp"

namespace khob::gen::test {

/// Has one of everything that a device can have.
inline const std::string device_text = R"(format: 1
kind: device
version: 2
prefix: t
path: /dev/t
doc: d
errors: {EFAULT: d, EPERM: d}
sections:
  all:
    doc: d
    constants:
      type: {value: 0xbc, format: hex, doc: d}
      name_max: {value: 31, limit: true, doc: d}
      any: {value: 0xffffffff, type: u32, doc: d}
    flags:
      bits:
        doc: d
        values:
          one: {value: 0x1, doc: d}
          two: {value: 0x2, doc: d}
    enums:
      state:
        doc: d
        prefix: is
        values:
          none: {value: 0, doc: d}
          some: {value: 1, doc: "After {state_none}."}
    ioctls:
      look: {nr: 0, argument: look, needs: CAP_SYS_ADMIN, errors: {ENOENT: d}, doc: d}
      open: {nr: 1, argument: open, returns: fd, doc: "Read {row} there, as {ioctl_look} says."}
      stop: {nr: 2, doc: d}
    structs:
      look:
        doc: d
        fields:
          - {name: size, type: u32, doc: d}
          - {name: flags, type: u32, values: bits, doc: d}
          - {name: state, type: u32, values: state, doc: d}
          - {name: reserved, type: u32, length: 3, doc: d}
          - {name: count, type: u64, doc: d}
      open:
        doc: d
        fields:
          - {name: size, type: u32, doc: d}
          - {name: reserved, type: u32, doc: d}
          - {name: name, type: char, length: name_max + 1, doc: d}
          - {name: more, type: u64, since: 2, doc: d}
      row:
        stream: true
        doc: d
        fields:
          - {name: start, type: u64, doc: d}
          - {name: reserved, type: u64, doc: d}
)";

/// The same with old (which has to be in it) replaced.
inline std::string device_with(const std::string& old, const std::string& now) {
    std::string text = device_text;
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return at == std::string::npos ? text : text.replace(at, old.size(), now);
}

}  // namespace khob::gen::test

#endif  // KHOB_ABI_GEN_TESTS_DEVICE_FIXTURE_HPP
