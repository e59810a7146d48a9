// Rescorer: computes sampled evaluations again, from the payloads, the data and the secrets that
// are revealed by now.
//
// It follows θ with a probe of its own, as many rounds behind as evaluations stay sealed, and so
// stands where validators stood who scored the round that is opened. On a machine of the
// validator's platform class scores and drop must be the same to the last digit; on another one
// losses differ in their last bits, and kScoreTolerance says how far scores may. What is sampled
// follows from `seed` and the round's number, so an audit can be repeated. Thread safety: none; one
// owner.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <tuple>

#include "protocol/loss_probe.h"
#include "verify/audit_report.h"
#include "verify/audited_round.h"
#include "verify/score.h"

namespace muster::verify {

struct RescoreOptions {
  std::uint64_t samples = 0;          // 0: all evaluations that can be
  std::uint64_t rounds_expected = 0;  // over which the samples are spread
  std::uint64_t seed = 0;
};

class Rescorer {
 public:
  // `probe` stands at the run's initial model, over the run's data.
  Rescorer(protocol::LossProbe& probe, const RescoreOptions& options)
      : probe_(probe), options_(options) {}

  // A sealed round, in order: an observer of Audit. Errors: those of the probe.
  [[nodiscard]] Status take(const AuditedRound& round, AuditReport& report);
  [[nodiscard]] std::uint64_t exact() const { return exact_; }  // same class, same digits
  [[nodiscard]] std::uint64_t within() const {
    return within_;
  }  // other class, within the tolerance

 private:
  // A round whose evaluations are not all open yet: what they were measured on.
  struct Kept {
    Round round;
    protocol::RoundOpen open;
    Hash late_beacon;
    std::map<Uid, compression::Payload> payloads;
    std::map<Uid, float> weights;  // in the aggregate
    std::shared_ptr<const compression::SparseUpdate>
        aggregate;  // null: a null round, nobody's evaluation
    std::map<Uid, std::uint32_t> sequences_used;
    std::map<PublicKey, protocol::Secret> secrets;  // promised ones
  };
  // An evaluation that was opened.
  struct Opened {
    Signer signer;
    Round in;  // whose Screen
    protocol::Evaluation evaluation;
    std::string platform_class;
  };
  void keep(const AuditedRound& round, std::shared_ptr<const compression::SparseUpdate> aggregate);
  void take_opened(const AuditedRound& round, AuditReport& report);
  void check_reviews(const AuditedRound& round, AuditReport& report) const;
  // The oldest round that is kept, whose evaluations are open.
  Status rescore_front(const AuditedRound& round, AuditReport& report);
  [[nodiscard]] std::vector<Opened> choose(const Kept& kept, AuditReport& report);
  [[nodiscard]] std::uint64_t share_of(Round round, std::size_t available) const;
  // Of one validator, whose evaluations share their random sequences.
  Status rescore(const AuditedRound& round, const Kept& kept, const std::vector<Opened>& samples,
                 AuditReport& report);
  void compare(const Kept& kept, const Opened& sample, const Measurement& measured,
               AuditReport& report);

  protocol::LossProbe& probe_;  // at the front of kept_
  RescoreOptions options_;
  std::deque<Kept> kept_;                        // ascending by round
  std::map<Round, std::vector<Opened>> opened_;  // by the round that they are about
  // Whether evaluations that were computed again held, by round, validator and miner; of the last
  // kReviewedRounds.
  std::map<std::tuple<Round, PublicKey, Uid>, bool> held_;
  static constexpr std::uint64_t kReviewedRounds = 128;
  std::uint64_t exact_ = 0;
  std::uint64_t within_ = 0;
};

}  // namespace muster::verify
