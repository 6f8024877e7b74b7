// SPDX-License-Identifier: GPL-2.0-only
// The JSON that templates and tests read; its form is documented in
// abi-gen/README.md.
#ifndef KHOB_ABI_GEN_JSON_HPP
#define KHOB_ABI_GEN_JSON_HPP

#include <string>
#include <vector>

#include "model.hpp"

namespace khob::gen {

/// The model; schema_name is how it calls its source.
std::string model_json(const Model& model, const std::string& schema_name);

/// Test vectors of one version.
std::string vectors_json(const Schema& schema, const Resolved& resolved,
                         const std::vector<Vector>& vectors, const std::string& schema_name);

}  // namespace khob::gen

#endif  // KHOB_ABI_GEN_JSON_HPP
