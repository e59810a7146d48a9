// Adversaries: miners that want pay without the work, or harm to the model, as conducts that the
// real miner core runs with: in a simulated network, in the attack suite, and as processes.
//
// The catalogue lists them by name. Forgeries make a payload without training for it, shirkers do a
// part of the work and say that they did all, saboteurs train on data of their own making. Thread
// safety: none.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "miner/miner.h"

namespace muster::sim {

// Payloads that everybody can read once a round's keys are out.
using RevealedPayloads = std::map<Uid, std::shared_ptr<const compression::SparseUpdate>>;

class Adversary : public miner::Conduct {
 public:
  std::uint32_t claims(std::uint32_t, std::uint32_t assigned) override { return assigned; }
  // What everybody has to train on in a round, as anyone can say once it has opened.
  virtual void saw_assignment(Round, const std::map<Uid, std::vector<std::uint64_t>>&) {}
  // What the others sent: a round's payloads when it is over.
  virtual void saw_payloads(Round, const RevealedPayloads&) {}
  // The same while the round still runs, as if commits were not sealed.
  virtual void peeked(Round, const RevealedPayloads&) {}
  // A validator measured its payload of this round, as its next Screen shows.
  virtual void was_measured(Round) {}
};

// What a miner's own copy of the data set holds.
enum class LocalData {
  kGenuine,
  kShuffled,     // the tokens of each sequence in random order
  kBackdoor,     // a phrase in the middle of each sequence
  kTruncated,    // only the first half of each sequence: half the tokens, half the work
  kStripes,      // the first and the third quarter of each sequence, as one of half the length
  kAlternating,  // the first half of every second sequence, the last half of the others
};

// How a miner trains, besides what its conduct decides.
struct LocalTraining {
  LocalData data = LocalData::kGenuine;
  bool drops_residual = false;  // keeps no error feedback from round to round
  bool half_rows = false;       // leaves out every second row of each matrix of a layer
  double batch_share = 1;       // of an inner step's sequences, by as many steps
  bool operator==(const LocalTraining&) const = default;
};

struct AdversaryContext {
  compression::Layout layout;
  std::uint64_t sequences = 0;  // of the data set
  std::uint32_t batch = 1;      // sequences of an inner step
  std::uint64_t seed = 0;
  Uid first_hotkey = {};  // of those that the attack has; the others have the uids behind it
};

struct Attack {
  std::string_view name;
  std::string_view what;  // in words
  // Share of an honest miner's work that it does. None: it follows from what it sees, and the lab
  // counts the sequences that it trains.
  std::optional<double> work = 0;
  LocalTraining training;
  std::optional<Round> turns;  // honest before this round
  std::shared_ptr<Adversary> (*make)(const AdversaryContext&) = nullptr;
  std::uint32_t hotkeys =
      1;  // of one machine, which shares its work among them; at most kScoredPlaces
};

inline constexpr Round kTurncoatTurns{20};
inline constexpr Round kLateComes{25};
inline constexpr Round kCrowdComes{10};

// All of them, in the order of reports.
[[nodiscard]] const std::vector<Attack>& attacks();
// Never takes part: what attackers are compared with, so that everybody else has the same data.
[[nodiscard]] const Attack& nobody();
// Null: no such attack.
[[nodiscard]] const Attack* find_attack(std::string_view name);

// Forgeries.
[[nodiscard]] std::shared_ptr<Adversary> noise(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> replay(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> reversed_replay(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> copy_of_last_round(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> copy_of_this_round(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> one_value(const AdversaryContext& context);
// Its own last trained payload again and again; trains every fifth round.
[[nodiscard]] std::shared_ptr<Adversary> stale(const AdversaryContext& context);
// What it trained, times `factor`.
[[nodiscard]] std::shared_ptr<Adversary> scaled(const AdversaryContext& context, float factor);
// Trains a quarter, and sends it mixed with the last aggregate.
[[nodiscard]] std::shared_ptr<Adversary> padded(const AdversaryContext& context);

// Shirkers.
[[nodiscard]] std::shared_ptr<Adversary> lazy(const AdversaryContext& context, double share);
// Trains an eighth in the two rounds after one in which it was measured, as if others were next
// then.
[[nodiscard]] std::shared_ptr<Adversary> scheduled(const AdversaryContext& context);
// Trains the first share of each batch; see LocalTraining::batch_share.
[[nodiscard]] std::shared_ptr<Adversary> small_batches(const AdversaryContext& context,
                                                       double share);
// Trains on the sequences of the miner with uid 0, in its order.
[[nodiscard]] std::shared_ptr<Adversary> shadow(const AdversaryContext& context);
// Two hotkeys that train on half of the sequences of each of them, and send the same.
[[nodiscard]] std::shared_ptr<Adversary> sybil_mix(const AdversaryContext& context);
// Trains as much as it should, on sequences that all colluders share; comes in round `first`.
[[nodiscard]] std::shared_ptr<Adversary> public_data(const AdversaryContext& context, Round first);
[[nodiscard]] std::shared_ptr<Adversary> overfit(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> wrong_data(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> every_second_round_noise(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> every_second_round_absent(const AdversaryContext& context);
[[nodiscard]] std::shared_ptr<Adversary> turncoat(const AdversaryContext& context);
// Honest, but comes only in round kLateComes.
[[nodiscard]] std::shared_ptr<Adversary> late(const AdversaryContext& context);
// Trains only the upper half of the model; noise of the same size for the rest.
[[nodiscard]] std::shared_ptr<Adversary> frozen(const AdversaryContext& context);
// Sends nothing for the lower half of the model.
[[nodiscard]] std::shared_ptr<Adversary> top_layers(const AdversaryContext& context);
// Trains the last half of its sequences.
[[nodiscard]] std::shared_ptr<Adversary> late_steps(const AdversaryContext& context);
// Trains and commits, but keeps its key in every second round.
[[nodiscard]] std::shared_ptr<Adversary> withholding(const AdversaryContext& context);

// Trains what its own copy of the data says; see LocalData.
[[nodiscard]] std::shared_ptr<Adversary> saboteur(const AdversaryContext& context);

}  // namespace muster::sim
