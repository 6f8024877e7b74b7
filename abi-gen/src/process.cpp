// SPDX-License-Identifier: GPL-2.0-only
// Input and output go through unlinked files: no pipe can fill up and block.
#include "process.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace khob::gen {
namespace {

constexpr int signal_base = 128;

struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};
using File = std::unique_ptr<std::FILE, Close>;

tl::unexpected<Errors> failed(const std::string& program, int code) {
    return fail({program, 0, 0}, fmt::format("cannot be run: {}", std::strerror(code)));
}

std::string contents(std::FILE* file) {
    std::string text;
    std::array<char, 1U << 16U> buffer{};
    std::rewind(file);
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
        text.append(buffer.data(), got);
    }
    return text;
}

}  // namespace

Result<Finished> run_program(const std::vector<std::string>& command, const std::string& input) {
    const std::string& program = command.front();
    const std::array<File, 3> files = {File(std::tmpfile()), File(std::tmpfile()),
                                       File(std::tmpfile())};
    for (const File& file : files) {
        if (!file) {
            return failed(program, errno);
        }
    }
    if (std::fwrite(input.data(), 1, input.size(), files[0].get()) != input.size() ||
        std::fflush(files[0].get()) != 0) {
        return failed(program, errno);
    }
    std::rewind(files[0].get());

    std::vector<std::string> words = command;
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < static_cast<int>(files.size()); ++fd) {
        posix_spawn_file_actions_adddup2(&actions, fileno(files.at(fd).get()), fd);
    }
    pid_t pid = 0;
    const int code = posix_spawnp(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        return failed(program, code);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return failed(program, errno);
        }
    }
    return Finished{WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status),
                    contents(files[1].get()), contents(files[2].get())};
}

}  // namespace khob::gen
