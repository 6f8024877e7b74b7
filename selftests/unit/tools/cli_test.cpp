// SPDX-License-Identifier: GPL-2.0-only
// khoctl from its arguments to its output and exit code.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attach/fill.hpp"
#include "base/digest.hpp"
#include "base/numbers.hpp"
#include "cli_fixture.hpp"
#include "khob/device.hpp"

namespace khob {
namespace {

using test::Cli;
using test::Ran;

std::string in_debugfs(std::string_view name) {
    return std::string(test::debugfs) + std::string(name);
}

TEST_F(Cli, HelpAndVersion) {
    EXPECT_EQ(run({"--version"}).code, 0);
    EXPECT_EQ(run({"--version"}).out.substr(0, 7), "khoctl ");
    EXPECT_EQ(run({"--help"}).code, 0);
    for (const char* name :
         {"status",  "preserve", "unpreserve", "compact", "walk",    "put",    "get",
          "ls",      "load",     "unload",     "exec",    "attach",  "verify", "restore",
          "release", "abi",      "doctor",     "bench",   "session", "keep"}) {
        const Ran ran = run({name, "--help"});
        EXPECT_EQ(ran.code, 0) << name;
        EXPECT_NE(ran.out.find(std::string("Example:\n  khoctl ") + name), std::string::npos)
            << ran.out;
    }
}

TEST_F(Cli, UsageErrors) {
    for (const auto& args : std::vector<std::vector<const char*>>{
             {},
             {"nonsense"},
             {"preserve"},
             {"preserve", "--pages", "x"},
             {"preserve", "--pages", "0"},
             {"preserve", "--pages", "4", "--seed", "-1"},
             {"preserve", "--pages", "4", "--order", "53"},
             {"preserve", "--pages", "4", "--order", "many"},
             {"preserve", "--pages", "4", "--scatter", "101"},
             {"walk", "--in", "--out"},
             {"load", "/k"},
             {"load", "/k", "--cmdline", "x", "--max-ranges", "0"},
             {"load", "/k", "--cmdline", "x", "--method", "magic"},
             {"compact", "now"},
             {"compact", "--max-ranges", "4001"},
             {"doctor", "/k", "--method", "magic"},
             {"doctor", "/k", "--abi", "kho-v1"},
             {"doctor", "--cmdline", "x"},
             {"unpreserve"},
             {"unpreserve", "some"},
             {"restore", "subtree", "x"},
             {"release", "0x1000", "0"},
             {"put", "a/b", "-"},
             {"abi", "kho-v1"},
             {"attach", "--setup-data", "0"},
             {"bench", "--keys", "1023"},
             {"bench", "--keys", "4194305"},
             {"bench", "now"}}) {
        const Ran ran = run(args);
        EXPECT_EQ(ran.code, 2) << ran.err;
        EXPECT_EQ(ran.err.substr(0, 8), "khoctl: ") << ran.err;
        EXPECT_NE(ran.err.find("\nhint: "), std::string::npos) << ran.err;
        EXPECT_EQ(ran.out, "");
    }
}

TEST_F(Cli, NamesWhatWasMeant) {
    const auto expect = [this](const std::vector<const char*>& args, std::string_view said) {
        const Ran ran = run(args);
        EXPECT_EQ(ran.code, 2) << said;
        EXPECT_EQ(ran.err.substr(0, ran.err.find('\n')), "khoctl: " + std::string(said));
        EXPECT_NE(ran.err.find("\nhint: khoctl "), std::string::npos) << ran.err;
    };
    expect({"statsu"}, "unknown command 'statsu'; did you mean status?");
    expect({"statsu", "--json"}, "unknown command 'statsu'; did you mean status?");
    expect({"session", "shwo"}, "unknown command 'shwo'; did you mean show?");
    expect({"session", "ls", "--jsno"}, "unknown option '--jsno'; did you mean --json?");
    expect({"frobnicate"}, "unknown command 'frobnicate'");
    expect({"load", "--cmdlin", "x"}, "unknown option '--cmdlin'; did you mean --cmdline?");
    expect({"load", "/k", "--cmdline", "x", "--cmopact"},
           "unknown option '--cmopact'; did you mean --compact?");
    expect({"load", "/k", "--initrd=/i", "--reuse-cmdlnie"},
           "unknown option '--reuse-cmdlnie'; did you mean --reuse-cmdline?");
    expect({"doctor", "/k", "--metod=kho"}, "unknown option '--metod'; did you mean --method?");
    expect({"status", "--frobnicate"}, "unknown option '--frobnicate'");
    expect({"--jsn", "status"}, "unknown option '--jsn'");
    expect({"walk", "-x"}, "unknown option '-x'");
    // A value is not looked at, whatever it looks like; what is missing is said as before.
    expect({"load", "--cmdline", "--cmdlin"},
           "--initrd, --cmdline and --reuse-cmdline are of a kernel that is named");
    expect({"put", "--", "--cmdlin"}, "FILE is required");
    expect({}, "A subcommand is required");
}

TEST_F(Cli, Status) {
    EXPECT_NE(run({"status", "--verbose"}).out.find("out.state: open\n"), std::string::npos);
    const auto status = json({"status", "--json"});
    EXPECT_EQ(status["out"]["state"], "open");
    EXPECT_EQ(status["kexec"]["loaded"], false);
    EXPECT_EQ(status["kexec"]["allowed"], true);
    EXPECT_EQ(status["shown_ranges"], 0);
    machine.dir.remove("sys/module");
    const Ran ran = run({"status"});
    EXPECT_EQ(ran.code, 4);
    EXPECT_EQ(ran.err,
              "khoctl: the module kho_bridge is not loaded\nhint: load it: modprobe kho_bridge\n");
}

TEST_F(Cli, StatusSaysWhatBecameOfTheKernel) {
    EXPECT_EQ(json({"status", "--json"})["kexec"]["image"], "none");
    EXPECT_EQ(json({"status", "--json"})["kexec"]["loaded_by"], nullptr);
    machine.status("out.state", "frozen");
    EXPECT_EQ(json({"status", "--json"})["kexec"]["image"], "loaded");
    EXPECT_EQ(json({"status", "--json"})["kexec"]["loaded_by"], "khoctl");
    for (const auto& [state, name, what] :
         {std::tuple{device::ImageState::replaced, "replaced", "another kernel"},
          std::tuple{device::ImageState::unloaded, "unloaded", "has unloaded"}}) {
        machine.status("image.state", std::to_string(static_cast<std::uint32_t>(state)));
        machine.dir.write("sys/kernel/kexec_loaded",
                          state == device::ImageState::replaced ? "1\n" : "0\n");
        const Ran ran = run({"status", "--json"});
        EXPECT_EQ(ran.code, 3);
        EXPECT_EQ(nlohmann::json::parse(ran.out)["kexec"]["image"], name);
        EXPECT_NE(ran.err.find(what), std::string::npos) << ran.err;
        EXPECT_NE(run({"exec"}).err.find(what), std::string::npos);
        EXPECT_NE(run({"doctor"}).out.find(what), std::string::npos);
    }
}

/// The lines of a text.
std::vector<std::string_view> screen(const Ran& ran) {
    EXPECT_EQ(ran.code, 0) << ran.err;
    return lines(ran.out);
}

TEST_F(Cli, StatusFitsAScreen) {
    machine.status("version", "1.0");
    machine.status("out.folios", "1023");
    machine.status("out.pages", "16384");
    machine.status("out.subtrees", "9");
    machine.status("out.metadata_bytes", "2097152");
    machine.dir.write(in_debugfs("out/ranges"), "0x200000 0x400000\n0x500000 0x501000\n");
    const Ran ran = run({"status"});
    EXPECT_EQ(ran.out,
              "kho_bridge: 1.0, kho-v4 by this module\n"
              "preserved: 64.0 MiB in 1023 folios\n"
              "  by khoctl: 64.0 MiB\n"
              "  by other modules: 0 B\n"
              "subtrees: 9\n"
              "metadata: 2.0 MiB\n"
              "a load: 2 intervals, 0 B of gaps lost until attach\n"
              "a load with KHO: 101.0 MiB of scratch besides kernel and initrd\n"
              "loaded: nothing\n"
              "came in: nothing\n");
    const auto cost = json({"status", "--json"})["cost"];
    EXPECT_EQ(cost["intervals"], 2);
    EXPECT_EQ(cost["gap_bytes"], 0);
    EXPECT_EQ(cost["covered_bytes"], 0x201000);
    EXPECT_GT(cost["kho_scratch_bytes"], 100 << 20);
    EXPECT_LE(cost["kho_scratch_bytes"], 101 << 20);
    EXPECT_EQ(cost["refused"], nullptr);
}

TEST_F(Cli, StatusFitsAScreenAtItsLongest) {
    const std::string many = "68719476736";  // pages of all that x86-64 can address
    for (const char* name :
         {"out.folios", "out.pages", "out.client_pages", "out.metadata_bytes", "out.others_keys",
          "out.poisoned", "in.keys", "in.pages", "in.restored_pages", "in.poisoned"}) {
        machine.status(name, many);
    }
    machine.status("out.subtrees", "1024");
    machine.status("in.subtrees", "1024");
    machine.status("version", "1.0.0-rc1");
    machine.status("test_build", "1");
    machine.status("source", "native");
    machine.status("in.state", "attached");
    machine.status("in.method", "indirect");
    machine.status("in.abi", "kho-v4");
    machine.status("in.previous_release", "6.12.117+deb12-cloud-amd64");
    machine.status("in.kexec_count", "4294967295");
    machine.status("last_error", "a sentence");
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    machine.dir.write("sys/kernel/kexec_loaded", "1\n");
    const Ran ran = run({"status"});
    const auto all = screen(ran);
    EXPECT_EQ(all.size(), 18) << ran.out;
    for (const std::string_view line : all) {
        EXPECT_LE(line.size(), 80) << line;
    }
}

TEST_F(Cli, StatusSaysWhose) {
    machine.status("out.pages", "512");
    machine.status("out.folios", "3");
    machine.status("out.client_pages", "256");
    machine.status("out.others_keys", "7");
    machine.status("in.state", "attached");
    machine.status("in.pages", "16");
    machine.status("in.keys", "4");
    const std::string out = run({"status"}).out;
    for (const char* line : {"  by khoctl: 1.0 MiB\n", "  by other modules: 1.0 MiB\n",
                             "  by this kernel's KHO: 7 folios of other clients besides\n",
                             "  by the kernel before: 64.0 KiB in 4 folios, until restored"}) {
        EXPECT_NE(out.find(line), std::string::npos) << line << out;
    }
}

TEST_F(Cli, StatusSaysWhatIsLoadedAndByWhom) {
    const auto expect = [this](const char* loaded, device::ImageState image, std::string_view line,
                               const nlohmann::json& by) {
        machine.dir.write("sys/kernel/kexec_loaded", loaded);
        machine.status("out.state", image == device::ImageState::none ? "open" : "frozen");
        machine.status("image.state", std::to_string(static_cast<std::uint32_t>(image)));
        EXPECT_NE(run({"status"}).out.find("loaded: " + std::string(line) + "\n"),
                  std::string::npos)
            << run({"status"}).out;
        EXPECT_EQ(nlohmann::json::parse(run({"status", "--json"}).out)["kexec"]["loaded_by"], by);
    };
    machine.status("scratch.bytes", "1048576");
    machine.status("scratch.areas", "2");
    using Image = device::ImageState;
    expect("0\n", Image::none, "nothing", nullptr);
    expect("1\n", Image::loaded, "a kernel, by khoctl (PID 7), with 1.0 MiB of scratch in 2 areas",
           "khoctl");
    EXPECT_EQ(json({"status", "--json"})["cost"]["intervals"], nullptr) << "nothing can be loaded";
    expect("1\n", Image::none, "a kernel, not by khoctl: what is preserved would be lost", nullptr);
    expect("0\n", Image::loading, "not yet: khoctl (PID 7) is still loading a kernel", "khoctl");
    expect("1\n", Image::replaced, "a kernel that gets nothing: `khoctl unload`", "khoctl");
    expect("0\n", Image::unloaded, "nothing any more, but all is frozen: `khoctl unload`",
           "khoctl");
}

TEST_F(Cli, StatusSaysThatALoadWouldBeRefused) {
    machine.dir.write(in_debugfs("out/ranges"), "0x90000000 0x90001000\n");
    EXPECT_NE(run({"status"}).out.find("a load: would be refused: preserved memory 0x90000000"),
              std::string::npos)
        << run({"status"}).out;
    EXPECT_TRUE(json({"status", "--json"})["cost"]["refused"].is_string());
}

TEST_F(Cli, StatusSaysWhatCameIn) {
    machine.status("in.state", "refused");
    machine.status("in.reason", "the root FDT is damaged");
    EXPECT_NE(run({"status"}).out.find("came in: refused: the root FDT is damaged\n"),
              std::string::npos);
    machine.status("in.state", "none");
    machine.status("in.previous_release", "6.0-before");
    EXPECT_NE(run({"status"}).out.find("came in: all of it is given back\nfrom: 6.0-before"),
              std::string::npos);
}

TEST_F(Cli, StatusSaysWhatTheKernelStillShows) {
    machine.dir.write("sys/kernel/boot_params/setup_data/1/type", "0x8000000a\n");
    machine.dir.write("sys/kernel/boot_params/setup_data/1/data", "secret");
    EXPECT_EQ(json({"status", "--json"})["shown_ranges"], 1);
    for (const auto& [name, value] :
         {std::pair{"in.state", "attached"}, std::pair{"in.state", "refused"},
          std::pair{"in.previous_release", "6.0-before"}}) {
        machine.status("in.state", "none");
        machine.status(name, value);
        const Ran ran = run({"status"});
        EXPECT_EQ(ran.code, 1) << value;
        EXPECT_NE(ran.out.find("shown_ranges: 1\n"), std::string::npos) << ran.out;
        EXPECT_NE(ran.err.find("can still be read"), std::string::npos) << ran.err;
    }
}

TEST_F(Cli, Preserve) {
    machine.status("out.preserve_us", "17");
    const auto got = json({"preserve", "--pages", "64", "--order", "3", "--seed", "9", "--json"});
    EXPECT_EQ(got["bytes"], 64 * 4096);
    EXPECT_EQ(got["module_us"], 17);
    EXPECT_TRUE(got["ms"].is_number());
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")), "pages=64 order=3 seed=9\n");
    EXPECT_EQ(run({"preserve", "--pages", "64", "--scatter"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")),
              "pages=64 order=mixed seed=0 scatter=50\n");
    EXPECT_EQ(run({"preserve", "--pages", "064", "--scatter", "20"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")),
              "pages=64 order=mixed seed=0 scatter=20\n");
}

TEST_F(Cli, NumbersAreDecimalOrHex) {
    EXPECT_EQ(run({"preserve", "--pages", "010", "--seed", "0xff"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/preserve")), "pages=10 order=mixed seed=255\n");
}

TEST_F(Cli, Targets) {
    EXPECT_EQ(run({"unpreserve", "subtree", "x"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/unpreserve")), "subtree x\n");
    EXPECT_EQ(run({"unpreserve", "4096", "0"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/unpreserve")), "0x1000 0\n");
    EXPECT_EQ(run({"restore"}).code, 6);
    machine.status("in.state", "attached");
    machine.status("in.restored_pages", "5");
    EXPECT_EQ(json({"restore", "--json"})["restored_pages_total"], 5);
    EXPECT_EQ(machine.dir.read(in_debugfs("in/restore")), "all\n");
    EXPECT_EQ(run({"release", "all"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("in/release")), "all\n");
}

TEST_F(Cli, CompactShowsWhatItWouldCost) {
    machine.dir.write(in_debugfs("out/ranges"),
                      "0x200000 0x400000\n0x500000 0x501000\n0x900000 0xa00000\n");
    const auto got = json({"compact", "--dry-run", "--max-ranges", "2", "--json"});
    EXPECT_EQ(got["before"]["ranges"], 3);
    EXPECT_EQ(got["before"]["intervals"], 2);
    EXPECT_EQ(got["before"]["gap_bytes"], 0x100000);
    EXPECT_FALSE(got.contains("moved_bytes"));
    EXPECT_EQ(machine.dir.read(in_debugfs("out/compact")), "");
}

TEST_F(Cli, WalkListsTheSideThatMatters) {
    machine.dir.write(in_debugfs("out/keys"), "0x200000 9\n");
    machine.dir.write(in_debugfs("in/keys"), "0x1000 0\n0x2000 0\n");
    machine.dir.write(in_debugfs("out/ranges"), "0x200000 0x400000\n");
    EXPECT_EQ(json({"walk", "--json"}).size(), 1);
    EXPECT_EQ(json({"walk", "--json"})[0]["addr"], 0x200000);
    EXPECT_EQ(json({"walk", "--out", "--ranges", "--json"})[0]["end"], 0x400000);
    machine.status("in.state", "attached");
    EXPECT_EQ(json({"walk", "--json"}).size(), 2);
    EXPECT_NE(run({"walk"}).out.find("0x1000      0  4096 (4.0 KiB)"), std::string::npos);
}

TEST_F(Cli, LsAbiPutGet) {
    machine.dir.write(in_debugfs("in/sub_fdts/conf"), "hello");
    EXPECT_EQ(json({"ls", "--json"})[0]["size"], 5);
    EXPECT_EQ(json({"abi", "--json"})[2]["in_use"], true);
    EXPECT_EQ(run({"abi", "kho-v3"}).code, 0);
    EXPECT_EQ(machine.dir.read(in_debugfs("abi")), "kho-v3\n");

    const auto to = (machine.dir.path() / "got").string();
    EXPECT_EQ(run({"get", "conf", "-o", to.c_str()}).code, 6);
    machine.status("in.state", "attached");
    EXPECT_EQ(run({"get", "conf", "-o", to.c_str()}).code, 0);
    EXPECT_EQ(machine.dir.read("got"), "hello");
    EXPECT_EQ(run({"get", "nothing", "-o", to.c_str()}).code, 3);

    machine.dir.write(in_debugfs("out/sub_fdts/conf"), "");
    EXPECT_EQ(json({"put", "conf", to.c_str(), "--json"})["bytes"], 5);
    EXPECT_EQ(machine.dir.read(in_debugfs("out/put")), "conf 5\n");
    machine.dir.write("empty", "");
    EXPECT_EQ(run({"put", "conf", (machine.dir.path() / "empty").c_str()}).code, 3);
}

TEST_F(Cli, LoadTakesOneOfTheCommandLines) {
    machine.dir.write("k", test::make_kernel());
    const auto kernel = (machine.dir.path() / "k").string();
    // It gets as far as scratch, which the fake module does not give.
    const Ran ran = run({"load", kernel.c_str(), "--reuse-cmdline", "--cmdline", "more"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.err.find("no root FDT"), std::string::npos) << ran.err;
    EXPECT_EQ(run({"exec"}).code, 3);
    EXPECT_EQ(json({"unload", "--json"})["was_loaded"], false);
}

TEST_F(Cli, DoctorEndsWithTheVerdict) {
    machine.dir.write("k", test::make_kernel());
    const auto kernel = (machine.dir.path() / "k").string();
    Ran ran = run({"doctor", kernel.c_str()});
    EXPECT_EQ(ran.code, 0) << ran.out;
    EXPECT_EQ(ran.err, "");
    EXPECT_NE(ran.out.find("\nkernel.cmdline: root=/dev/vda quiet\n"), std::string::npos)
        << ran.out;
    EXPECT_NE(ran.out.find("\nverdict: ready: a load would use method indirect with kho-v4"),
              std::string::npos)
        << ran.out;
    EXPECT_EQ(ran.out.find('\n', ran.out.find("\nverdict: ") + 1), ran.out.size() - 1);
    machine.dir.write("proc/sys/kernel/kexec_load_disabled", "1\n");
    ran = run({"doctor", kernel.c_str(), "--json"});
    EXPECT_EQ(ran.code, 3);
    const auto report = nlohmann::json::parse(ran.out);
    EXPECT_EQ(report["missing"], 1);
    EXPECT_EQ(report["ready"], false);
    EXPECT_EQ(report["kernel"]["kho"], nullptr);
    EXPECT_EQ(report["checks"][0]["remedy"], nullptr);
    EXPECT_EQ(report["verdict"].get<std::string>().substr(0, 16), "not ready: kexec");
}

TEST_F(Cli, BenchSaysHowManyKeys) {
    EXPECT_EQ(run({"bench"}).code, 3);  // no such file
    machine.dir.write(in_debugfs("sandbox/bench"), "no row");
    const Ran ran = run({"bench", "--keys", "0x800", "--json"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.err.substr(0, 8), "khoctl: ") << "no progress where nobody watches";
    EXPECT_NE(ran.err.find("makes no sense"), std::string::npos) << ran.err;
    machine.dir.write(in_debugfs("sandbox/bench"), "");
    EXPECT_EQ(json({"bench", "--keys", "2048", "--json"})["keys"], 2048);
}

TEST_F(Cli, Verify) {
    EXPECT_EQ(run({"verify"}).code, 6);
    machine.status("in.state", "attached");
    EXPECT_EQ(run({"verify"}).code, 3);

    ByteVector page(page_size);
    fill(page, 7, 0);
    const abi::record record{.addr = 0x4000,
                             .size = page_size,
                             .seed = 7,
                             .index = 0,
                             .digest = xxh64(page),
                             .kind = abi::record_fill,
                             .reserved = 0};
    const auto* raw = reinterpret_cast<const std::byte*>(&record);
    machine.dir.write(in_debugfs("in/sub_fdts/kho-bridge-records"), ByteView(raw, sizeof(record)));
    machine.dir.write(in_debugfs("in/keys"), "0x4000 0\n");
    ByteVector memory(0x4000);
    memory.insert(memory.end(), page.begin(), page.end());
    machine.dir.write(in_debugfs("in/data"), memory);
    const auto good = json({"verify", "--json"});
    EXPECT_EQ(good["verified"], 1);
    EXPECT_EQ(good["verified_pages"], 1);
    EXPECT_TRUE(good["problems"].empty());

    memory[0x4123] ^= std::byte{1};
    machine.dir.write(in_debugfs("in/data"), memory);
    const Ran bad = run({"verify", "--json"});
    EXPECT_EQ(bad.code, 5);
    const auto report = nlohmann::json::parse(bad.out);
    EXPECT_EQ(report["corrupt"], 1);
    EXPECT_EQ(report["problems"][0]["addr"], 0x4000);
    EXPECT_NE(bad.err.find("of 1 records 1 are corrupt and 0 lost"), std::string::npos);

    machine.dir.write(in_debugfs("in/keys"), "");
    EXPECT_EQ(run({"verify"}).code, 5);
    machine.status("in.state", "refused");
    machine.status("in.reason", "bad root");
    EXPECT_EQ(run({"verify"}).code, 5);
}

}  // namespace
}  // namespace khob
