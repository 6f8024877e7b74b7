// SPDX-License-Identifier: GPL-2.0-only
#include "keep/region.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "keep/device.hpp"
#include "keep/list.hpp"
#include "keep/record.hpp"
#include "keep/walk.hpp"

namespace khob::keep {

namespace {

/// A new file, which is gone again unless stay() is called.
class NewFile {
  public:
    NewFile(const Fd& dir, std::string name, std::string path)
        : dir_(&dir),
          name_(std::move(name)),
          path_(std::move(path)),
          fd_(::openat(dir.get(), name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                       S_IRUSR | S_IWUSR)),
          errno_(errno) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    NewFile(NewFile&&) = delete;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile() {
        if (fd_.valid() && !stays_) {
            (void)::unlinkat(dir_->get(), name_.c_str(), 0);
        }
    }

    Result<void> made() const {
        if (fd_.valid()) {
            return {};
        }
        return errno_ == EEXIST
                   ? fail(ExitCode::refused, fmt::format("{} is there already", escaped(path_)),
                          "remove it, or take another name")
                   : fail_errno(errno_, path_);
    }
    const Fd& fd() const { return fd_; }
    void stay() { stays_ = true; }

  private:
    const Fd* dir_;
    std::string name_;
    std::string path_;
    Fd fd_;
    int errno_;
    bool stays_ = false;
};

Result<Fd> open_parent(const std::filesystem::path& path) {
    auto dir = open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
    if (dir && !is_on_tmpfs(*dir)) {
        return fail(ExitCode::refused,
                    fmt::format("{} is no tmpfs", escaped(path.parent_path().string())),
                    "a region is a file on one: /dev/shm/..., or mount one");
    }
    return dir;
}

}  // namespace

Value Region::to_value() const {
    Value value;
    value.set("path", escaped(plan.path))
        .set("bytes", Bytes{plan.bytes})
        .set("huge_page_bytes", Bytes{huge_page_bytes})
        .set("huge_pages", plan.bytes / huge_page_bytes)
        .set("node", plan.node ? Value(std::uint64_t{*plan.node}) : Value())
        .set("ms", Millis{ms});
    return value;
}

Result<Region> create_region(const System& sys, const RegionPlan& plan, Progress& progress) {
    const Stopwatch time;
    if (plan.bytes == 0 || plan.bytes % huge_page_bytes != 0) {
        return fail(ExitCode::usage,
                    fmt::format("{} is no multiple of {}", human_bytes(plan.bytes),
                                human_bytes(huge_page_bytes)),
                    "a region has huge pages only");
    }
    auto noted = read_noted(sys);
    const auto device = noted ? Device::open(sys) : tl::unexpected(noted.error());
    const auto dir = device ? open_parent(plan.path) : tl::unexpected(device.error());
    if (!dir) {
        return tl::unexpected(dir.error());
    }
    progress.step(fmt::format("making {} of huge pages", human_bytes(plan.bytes)));
    NewFile file(*dir, std::filesystem::path(plan.path).filename().string(), plan.path);
    if (auto ok = file.made(); !ok) {
        return tl::unexpected(ok.error());
    }
    if (auto ok = device->fill(file.fd(), plan.bytes, plan.node, escaped(plan.path)); !ok) {
        return tl::unexpected(ok.error());
    }
    note(*noted, {plan.path, "", std::nullopt, false});
    if (auto ok = write_noted(sys, *noted); !ok) {
        return tl::unexpected(ok.error());
    }
    file.stay();
    return Region{plan, time.millis()};
}

}  // namespace khob::keep
