// A tiny SentencePiece model, trained once per test program on a few made-up sentences.
#pragma once

#include <sentencepiece_trainer.h>

#include <string>
#include <vector>

#include "base/check.h"

namespace muster::testing {

inline constexpr int kPieces = 120;

// Hands sentences out one by one.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(std::vector<std::string> all) : all_(std::move(all)) {}
  bool done() const override { return next_ == all_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return all_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> all_;
  std::size_t next_ = 0;
};

inline const std::string& sentencepiece_model() {
  static const std::string model = [] {
    std::vector<std::string> sentences;
    const std::vector<std::string> who{"the miner", "a validator", "the ledger", "one coordinator",
                                       "every peer"};
    const std::vector<std::string> does{"trains",     "measures", "pays",
                                        "aggregates", "hashes",   "waits for"};
    for (const auto& subject : who)
      for (const auto& verb : does)
        for (const auto& object : who)
          sentences.push_back(subject + " " + verb + " " + object + ".");
    Sentences input(std::move(sentences));
    std::string serialized;
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        "--model_type=bpe --vocab_size=" + std::to_string(kPieces) +
            " --character_coverage=1.0 --num_threads=1 --minloglevel=2",
        &input, &serialized);
    MUSTER_CHECK(status.ok(), status.error_message());
    return serialized;
  }();
  return model;
}

}  // namespace muster::testing
