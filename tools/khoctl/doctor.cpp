// SPDX-License-Identifier: GPL-2.0-only
// The subcommand that says beforehand what a load would run into: doctor.
#include "doctor/doctor.hpp"

#include "base/files.hpp"
#include "cli.hpp"
#include "load/joined.hpp"
#include "load/load.hpp"
#include "wishes.hpp"

namespace khob::cli {

namespace {

struct DoctorArguments {
    std::string kernel;
    std::vector<std::string> initrds;
    std::string cmdline;
    bool has_cmdline = false;
    WishWords wishes;
};

Result<Outcome> examine(Context& ctx, const DoctorArguments& args) {
    const auto wishes = wishes_of(args.wishes);
    if (!wishes) {
        return tl::unexpected(wishes.error());
    }
    const bool about_kernel =
        !args.initrds.empty() || args.has_cmdline || wishes->method || wishes->abi;
    if (args.kernel.empty() && about_kernel) {
        return fail(ExitCode::usage, "--initrd, --cmdline, --method and --abi are about a kernel",
                    "khoctl doctor KERNEL");
    }
    const auto initrd = JoinedInitrds::open({args.initrds.begin(), args.initrds.end()});
    if (!initrd) {
        return tl::unexpected(initrd.error());
    }
    // What --reuse-cmdline of `load` gives is the likeliest.
    const auto running = read_text(ctx.system->path("/proc/cmdline"));
    const DoctorOptions options{
        .kernel = args.kernel,
        .initrd = initrd->path(),
        .cmdline = args.has_cmdline ? args.cmdline : reusable_cmdline(running.value_or("")),
        .wishes = *wishes};
    const DoctorReport report = doctor(*ctx.system, options);
    return Outcome{report.to_value(), {}, report.code()};
}

}  // namespace

void add_doctor(CLI::App& app, Selection& selection) {
    const auto args = std::make_shared<DoctorArguments>();
    CLI::App* command = add_command(
        app, "doctor", "Say what a load would need, what is missing and how to fix it",
        "khoctl doctor /boot/vmlinuz-$(uname -r) --initrd /boot/initrd.img-$(uname -r)");
    command->add_option("KERNEL", args->kernel,
                        "the bzImage that is to be loaded; without it only the machine is "
                        "looked at");
    add_repeated(*command, "--initrd", args->initrds, "its initrd");
    CLI::Option* cmdline = command->add_option("--cmdline", args->cmdline,
                                               "its command line (default: this kernel's)");
    add_wishes(*command, args->wishes);
    add_json(*command, selection);
    command->callback([&selection, args, cmdline] {
        args->has_cmdline = cmdline->count() > 0;
        selection.action = [args](Context& ctx) { return examine(ctx, *args); };
    });
}

}  // namespace khob::cli
