// SPDX-License-Identifier: GPL-2.0-only
// The shared pieces of the tests.
#include "fixture.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/bytes.hpp"
#include "fake_device.hpp"

namespace khob::test {

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "khob-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        ADD_FAILURE() << "no temporary directory";
    }
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void TempDir::write(std::string_view name, std::string_view text) const {
    write(name, as_bytes(text));
}

void TempDir::write(std::string_view name, ByteView bytes) const {
    const auto path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
}

std::string TempDir::read(std::string_view name) const {
    const std::ifstream in(path_ / name, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

void TempDir::remove(std::string_view name) const {
    std::filesystem::remove_all(path_ / name);
}

/// Whether these bytes are a file's below `root`, mapped.
static bool lies_in_file(ByteView bytes, const std::string& root) {
    std::ifstream maps("/proc/self/maps");
    const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        words >> std::hex >> start >> dash >> end;
        if (at >= start && at < end) {
            return line.find(" " + root) != std::string::npos;
        }
    }
    return false;
}

Result<void> FakeSystem::kexec_load(PhysAddr at, std::span<const Segment> segments) {
    calls.emplace_back("kexec_load");
    in_files = static_cast<std::size_t>(std::count_if(
        segments.begin(), segments.end(),
        [this](const Segment& s) { return lies_in_file(s.data, path("/").string()); }));
    if (on_load) {
        on_load();
    }
    if (load_result) {
        entry = at;
        for (const Segment& s : segments) {
            memory[s.address.value()] = ByteVector(s.data.begin(), s.data.end());
        }
    }
    return load_result;
}

Result<void> FakeSystem::kexec_file_load(const std::filesystem::path& kernel,
                                         const std::filesystem::path& initrd,
                                         const std::string& cmdline) {
    calls.push_back(fmt::format("kexec_file_load {} {} {}", kernel.filename().string(),
                                initrd.filename().string(), cmdline));
    return load_result;
}

Result<void> FakeSystem::kexec_unload() {
    calls.emplace_back("kexec_unload");
    return {};
}

Error FakeSystem::kexec_exec() {
    calls.emplace_back("kexec_exec");
    return Error{ExitCode::failure, "came back", ""};
}

Result<void> FakeSystem::load_module(const std::filesystem::path& file, const std::string& params) {
    calls.push_back(fmt::format("load_module {} {}", file.filename().string(), params));
    if (on_module) {
        on_module();
    }
    return {};
}

int FakeSystem::ioctl(int /*fd*/, unsigned long request, void* arg) const {
    return fake_ioctl(path("/") / debugfs, request, arg);
}

ByteVector make_kernel(const KernelSpec& spec) {
    const std::size_t setup = (static_cast<std::size_t>(spec.setup_sects) + 1) * 512;
    ByteVector k(setup + spec.payload_bytes);
    poke(k, 0x1f1, spec.setup_sects);
    poke(k, 0x1f4, spec.payload_bytes / 16);
    poke(k, 0x1fe, std::uint16_t{0xaa55});
    poke(k, 0x200, std::uint8_t{0xeb});
    poke(k, 0x201, std::uint8_t{0x26c - 0x202});
    poke(k, 0x202, std::uint32_t{0x53726448});
    poke(k, 0x206, spec.protocol);
    poke(k, 0x211, std::uint8_t{0x41});  // LOADED_HIGH and KEEP_SEGMENTS
    poke(k, 0x230, spec.alignment);
    poke(k, 0x234, spec.relocatable);
    poke(k, 0x236, spec.xloadflags);
    poke(k, 0x238, spec.cmdline_size);
    poke(k, 0x258, spec.pref_address);
    poke(k, 0x260, spec.init_size);
    constexpr std::uint16_t version_at = 0x400;
    poke(k, 0x20e, static_cast<std::uint16_t>(version_at - 0x200));
    std::memcpy(k.data() + version_at, spec.version.data(), spec.version.size());
    constexpr std::uint32_t info_at = 0x1000;
    poke(k, 0x268, info_at);
    poke(k, setup + info_at, std::uint32_t{0x506f544c});
    poke(k, setup + info_at + 12, spec.setup_type_max);
    constexpr std::uint32_t vmlinux_at = 0x1400;
    std::string vmlinux = "\177ELF";
    if (!spec.kho.empty()) {
        for (const std::string_view text :
             {abi::prop_memory_map, abi::prop_data, std::string_view(spec.kho)}) {
            vmlinux += fmt::format("{}{}{}", '\0', text, '\0');
        }
    }
    if (!spec.luo.empty()) {
        vmlinux += fmt::format("{}{}{}", '\0', spec.luo, '\0');
    }
    if (spec.payload_bytes >= vmlinux_at + vmlinux.size()) {
        std::memcpy(k.data() + setup + vmlinux_at, vmlinux.data(), vmlinux.size());
        poke(k, 0x248, vmlinux_at);
        poke(k, 0x24c, static_cast<std::uint32_t>(vmlinux.size()));
    }
    return k;
}

Machine::Machine() {
    const std::string base(debugfs);
    for (const char* name :
         {"out/preserve", "out/unpreserve", "out/compact", "out/put", "out/scratch", "out/keys",
          "out/ranges", "out/scratch_phys", "out/scratch_len", "in/setup_data", "in/restore",
          "in/release", "in/keys", "in/ranges", "in/data", "abi"}) {
        dir.write(base + name, "");
    }
    std::filesystem::create_directories(dir.path() / base / "out/sub_fdts");
    std::filesystem::create_directories(dir.path() / base / "in/sub_fdts");
    dir.write("sys/module/kho_bridge/version", "0.1\n");
    dir.write("dev/kho_bridge", "");
    dir.write("sys/kernel/kexec_loaded", "0\n");
    dir.write("proc/sys/kernel/kexec_load_disabled", "0\n");
    dir.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda initrd=/i quiet\n");
    ram(1ULL << 30);
    status("abi", "kho-v4");
    status("out.state", "open");
    status("in.state", "none");
}

void Machine::status(const std::string& name, const std::string& value) {
    status_[name] = value;
    write_status();
}

void Machine::write_status() const {
    std::string text;
    for (const auto& [name, value] : status_) {
        text += fmt::format("{}: {}\n", name, value);
    }
    dir.write(std::string(debugfs) + "status", text);
}

void Machine::ram(std::uint64_t bytes) const {
    dir.write("sys/firmware/memmap/0/start", "0x0\n");
    dir.write("sys/firmware/memmap/0/end", "0x9fbff\n");
    dir.write("sys/firmware/memmap/0/type", "System RAM\n");
    dir.write("sys/firmware/memmap/1/start", "0x100000\n");
    dir.write("sys/firmware/memmap/1/end", fmt::format("{:#x}\n", bytes - 1));
    dir.write("sys/firmware/memmap/1/type", "System RAM\n");
}

}  // namespace khob::test
