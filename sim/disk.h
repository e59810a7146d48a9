// Disk: what a simulated node keeps across a crash. Appended records are volatile until synced.
//
// Thread safety: none.
#pragma once

#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/prng.h"
#include "base/types.h"

namespace muster::sim {

class Disk {
 public:
  void append(Round round, Bytes record) { unsynced_.push_back({round, std::move(record)}); }
  void sync() {
    journal_.insert(journal_.end(), unsynced_.begin(), unsynced_.end());
    unsynced_.clear();
  }
  // The crash: of what was not synced, a random prefix happens to have reached the platter.
  void crash(Prng& random) {
    unsynced_.resize(random.below(unsynced_.size() + 1));
    sync();
  }

  // A planted bug: the newest synced record is gone.
  void forget_last() {
    if (!journal_.empty()) journal_.pop_back();
  }

  struct Record {
    Round round;
    Bytes bytes;
  };
  [[nodiscard]] const std::vector<Record>& journal() const { return journal_; }

  std::map<Hash, Bytes> blobs;         // content-addressed, each durable as a whole
  std::map<std::string, Bytes> files;  // replaced as a whole

 private:
  std::vector<Record> journal_;
  std::vector<Record> unsynced_;
};

}  // namespace muster::sim
