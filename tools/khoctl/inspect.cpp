// SPDX-License-Identifier: GPL-2.0-only
// The subcommand that looks at a kernel before it is loaded: probe.
#include "base/mapped_file.hpp"
#include "cli.hpp"
#include "image/probe.hpp"

namespace khob::cli {

namespace {

Result<Outcome> probe(const std::string& kernel) {
    const auto image = MappedFile::open(kernel);
    if (!image) {
        return fail(ExitCode::refused, "cannot read the kernel: " + image.error().what,
                    "check the path");
    }
    const auto found = probe_kernel(image->bytes());
    if (!found) {
        return tl::unexpected(found.error());
    }
    if (auto ok = image->check(); !ok) {
        return tl::unexpected(ok.error());
    }
    return Outcome{found->to_value(), {}};
}

}  // namespace

void add_inspect(CLI::App& app, Selection& selection) {
    CLI::App* command =
        add_command(app, "probe", "look inside a kernel: its release, its KHO, its ABI version",
                    "khoctl probe /boot/vmlinuz-$(uname -r) --json");
    const auto kernel = std::make_shared<std::string>();
    command->add_option("kernel", *kernel, "a bzImage")->required();
    add_json(*command, selection);
    command->callback(
        [&selection, kernel] { selection.action = [kernel](Context&) { return probe(*kernel); }; });
}

}  // namespace khob::cli
