// SPDX-License-Identifier: GPL-2.0-only
// What the tests share: a directory that stands for /sys and /proc with a module
// in it, system calls that are only noted, and kernels built byte by byte.
#ifndef KHOB_TESTS_FIXTURE_HPP
#define KHOB_TESTS_FIXTURE_HPP

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/system.hpp"
#include "base/types.hpp"

namespace khob::test {

/// A directory that goes away with the object.
class TempDir {
  public:
    TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    TempDir(TempDir&&) = delete;
    TempDir& operator=(TempDir&&) = delete;
    ~TempDir();
    const std::filesystem::path& path() const { return path_; }
    /// Writes a file, with its directories.
    void write(std::string_view name, std::string_view text) const;
    void write(std::string_view name, ByteView bytes) const;
    std::string read(std::string_view name) const;
    void remove(std::string_view name) const;

  private:
    std::filesystem::path path_;
};

/// Notes calls in place of making them.
class FakeSystem : public System {
  public:
    explicit FakeSystem(const std::filesystem::path& root) : System(root) {}
    bool is_root() const override { return root; }
    std::string release() const override { return "6.0-test"; }
    std::string machine() const override { return arch; }
    Result<void> kexec_load(PhysAddr at, std::span<const Segment> segments) override;
    Result<void> kexec_file_load(const std::filesystem::path& kernel,
                                 const std::filesystem::path& initrd,
                                 const std::string& cmdline) override;
    Result<void> kexec_unload() override;
    Error kexec_exec() override;
    Result<void> load_module(const std::filesystem::path& file, const std::string& params) override;
    /// The module's device, as FakeDevice plays it.
    int ioctl(int fd, unsigned long request, void* arg) const override;

    bool root = true;
    std::string arch = "x86_64";
    std::vector<std::string> calls;
    Result<void> load_result;
    std::function<void()> on_load;
    std::function<void()> on_module;
    std::map<std::uint64_t, ByteVector> memory;  ///< what kexec_load was given, by address
    PhysAddr entry;
    std::size_t in_files = 0;  ///< segments of the last kexec_load that lie in mapped files
};

/// Layout of a test kernel; each field may be made wrong.
struct KernelSpec {
    std::uint8_t setup_sects = 3;
    std::uint32_t payload_bytes = 8192;
    std::uint16_t protocol = 0x020f;
    std::uint8_t relocatable = 1;
    std::uint16_t xloadflags = 0x3;
    std::uint32_t init_size = 1U << 20;
    std::uint32_t alignment = 1U << 21;
    std::uint64_t pref_address = 0x1000000;
    std::uint32_t cmdline_size = 2047;
    std::uint32_t setup_type_max = 0x80000009;
    std::string version = "6.0-test (me) #1";
    std::string kho;    ///< the compatible string of its KHO; empty: it has none
    std::string luo{};  ///< the same of its LUO
};

/// A bzImage with that header, of zeroes but for an unpacked kernel that has that KHO.
ByteVector make_kernel(const KernelSpec& spec = {});

/// Overwrites bytes.
template <typename T>
void poke(ByteVector& bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof(value));
}

/// A machine with the module loaded, 1 GiB of RAM, and nothing preserved.
class Machine {
  public:
    Machine();
    /// Sets one line of the module's status.
    void status(const std::string& name, const std::string& value);
    void ram(std::uint64_t bytes) const;

    TempDir dir;
    FakeSystem system{dir.path()};

  private:
    void write_status() const;
    std::map<std::string, std::string> status_;
};

inline constexpr std::string_view debugfs = "sys/kernel/debug/kho_bridge/";

}  // namespace khob::test

#endif  // KHOB_TESTS_FIXTURE_HPP
