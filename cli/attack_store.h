// AttackStore: what the labs of an attack campaign found, kept in a folder so that a campaign can
// be resumed, shared and printed again.
//
// FOLDER/SETTING/seed-N.jsonl has a line of JSON for each career (sim/attacks/campaign.h), and
// beside it what it was measured under: the rules, by hash, and the data. A file is replaced as a
// whole under a lock of its folder, so kill -9 and several processes at a time do no damage.
// Results of other rules are left out, and named. Thread safety: any thread may call anything.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/lock_file.h"
#include "sim/attacks/campaign.h"

namespace muster::cli {

class AttackStore {
 public:
  // Makes the folder where it is missing. `data`: the data root; all zero: results of any data are
  // read, as long as it is the same, and none can be added. Errors: kIo, kNoSpace.
  [[nodiscard]] static Result<AttackStore> open(const std::filesystem::path& folder,
                                                const std::string& setting, const Hash& rules,
                                                const Hash& data);

  struct Content {
    std::vector<sim::Career> careers;   // one for each attack, miner, percent and seed
    std::vector<std::string> left_out;  // sentences that name the file, and why
  };
  // Errors: kIo; kInvalidArgument (results of several data sets, and none was asked for).
  [[nodiscard]] Result<Content> read() const;
  // Durable when it returns. Errors: kIo, kNoSpace.
  [[nodiscard]] Status add(std::uint64_t seed, const std::vector<sim::Career>& careers) const;
  // Keeps other processes from the labs `name` until it is destroyed. Errors: kAlreadyExists:
  // another one is at them.
  [[nodiscard]] Result<LockFile> claim(const std::string& name) const;

 private:
  AttackStore(std::filesystem::path folder, const Hash& rules, const Hash& data)
      : folder_(std::move(folder)), rules_(rules), data_(data) {}
  [[nodiscard]] std::filesystem::path file_of(std::uint64_t seed) const;
  std::filesystem::path folder_;
  Hash rules_, data_;
};

}  // namespace muster::cli
