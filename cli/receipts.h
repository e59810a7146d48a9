// A node's receipts: read from its journal, and written as a file that can be shown to others.
//
// Thread safety: pure but for the files.
#pragma once

#include <filesystem>

#include "verify/receipt_audit.h"

namespace muster::cli {

// `place`: a node's folder, or a file that export_receipts wrote. Errors: kNotFound, those of the
// journal.
[[nodiscard]] Status read_receipts(const std::filesystem::path& place,
                                   verify::ReceiptAudit& receipts);

// Writes the receipts of a node, and the commits that they are for, to a new file; returns how many
// receipts. The keys and everything else of the node stay where they are. Errors: kNotFound,
// kAlreadyExists, those of the journals.
[[nodiscard]] Result<std::uint64_t> export_receipts(const std::filesystem::path& node,
                                                    const std::filesystem::path& file);

}  // namespace muster::cli
