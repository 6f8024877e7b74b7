// SPDX-License-Identifier: GPL-2.0-only
// The files that a load is given: mapped, looked into, and the same to the end.
#ifndef KHOB_LOAD_INPUTS_HPP
#define KHOB_LOAD_INPUTS_HPP

#include "base/mapped_file.hpp"
#include "base/progress.hpp"
#include "image/bzimage.hpp"
#include "load/load.hpp"
#include "module/status.hpp"
#include "plan/method.hpp"

namespace khob {

struct LoadInputs {
    MappedFile image;  ///< the kernel's file
    BzImage kernel;
    MappedFile initrd;  ///< no bytes: none
    MethodChoice choice;
    abi::Version abi = abi::default_version;  ///< of the root FDT, with that choice

    /// Errors (refused): somebody has written to one of the files since.
    Result<void> check() const;
};

/// Looks into both files; shows how far it is. Errors (refused): they cannot be loaded like that;
/// interrupted.
Result<LoadInputs> read_inputs(const LoadOptions& options, const Status& status,
                               Progress& progress);

}  // namespace khob

#endif  // KHOB_LOAD_INPUTS_HPP
