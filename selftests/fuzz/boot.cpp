// SPDX-License-Identifier: GPL-2.0-only
// Fuzzes what reads a boot loader's files, and load.conf: what is accepted names a kernel by an
// absolute path, what is refused says why.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "boot/grub.hpp"
#include "boot/grub_script.hpp"
#include "boot/load_conf.hpp"
#include "boot/loader.hpp"
#include "fuzz.hpp"

namespace {

using khob::fuzz::require;

void expect_entry(const khob::Result<khob::boot::Entry>& entry, std::string_view below) {
    require(entry || (!entry.error().what.empty() && !entry.error().hint.empty()) ||
                entry.error().what.starts_with("line "),
            "a refusal says why, and what to do or where");
    require(!entry || entry->kernel.starts_with(std::string(below) + "/"), "the path is absolute");
}

std::size_t depth(const std::vector<khob::boot::Statement>& statements) {
    std::size_t most = 0;
    for (const khob::boot::Statement& statement : statements) {
        most = std::max(most, 1 + depth(statement.body));
    }
    return most;
}

void grub(std::string_view text) {
    const auto script = khob::boot::parse_grub_script(text);
    require(!script || depth(*script) <= 17, "blocks are nested only so deep");
    khob::boot::Variables variables = khob::boot::parse_grubenv(text);
    require(!variables.contains(""), "a variable has a name");
    variables["grub_platform"] = "pc";
    expect_entry(khob::boot::grub_default(text, variables), "");
}

void loader(std::string_view text) {
    const std::string file(text);
    expect_entry(
        khob::boot::loader_default({{"a+1-2.conf", file, "/efi"}, {"b.conf", file, "/efi"}},
                                   {file, file, file, file}),
        "/efi");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    grub(text);
    loader(text);
    const auto conf = khob::boot::parse_load_conf(text);
    require(conf || !conf.error().what.empty(), "a refusal says why");
    require(!conf || !conf->kernel.empty() || conf->initrds.empty(), "an initrd has a kernel");
    const khob::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    require(khob::boot::parse_efi_text(bytes).size() <= size / 2, "two bytes are one character");
    return 0;
}
