// RankGroup: a RoundTrainer of several processes, one rank each. It starts them, asks all for the
// same thing and puts the answers together; segments come in the ranks' order, so that a payload is
// the same whatever their number.
//
// When a rank dies, says nothing for far too long (silence.h), or fails in a way that leaves the
// others waiting for it, all are ended: the call says in one line which rank and why, and restart()
// starts them anew. Thread safety: as round_trainer.h.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/ranks/rank_channel.h"
#include "trainer/ranks/silence.h"
#include "trainer/rounds/round_trainer.h"

namespace muster::trainer {

// What a process needs to be a rank.
struct RankSeat {
  unsigned rank = 0, size = 1;
  std::filesystem::path meeting;  // the ranks' folder to find each other in
  int channel = -1,
      theta = -1;  // descriptors to inherit: its end of a RankChannel, and the miner's SharedFloats
};

class RankProcess {
 public:
  virtual ~RankProcess() = default;  // ends it
  // How it ended, as in "was killed by signal 9", once it has.
  [[nodiscard]] virtual std::optional<std::string> ended() = 0;
  [[nodiscard]] virtual int pid() const = 0;
};
using StartRank = std::function<Result<std::unique_ptr<RankProcess>>(const RankSeat&)>;

struct RankGroupParts {
  unsigned size = 1;
  std::filesystem::path folder;      // for the ranks' meetings; made when it is not there
  int theta = -1;                    // the descriptor of the miner's θ, for the ranks' seats
  std::vector<NamedSize> optimizer;  // optimizer_arrays() of the whole layout
  StartRank start;
  std::function<void(const std::string&)> note;  // a line for the log
  const Clock* clock = nullptr;                  // nullptr: the machine's
  Silence::Bounds steps = Silence::kSteps;
};

class RankGroup final : public RoundTrainer {
 public:
  // Starts the ranks and waits until they are ready. Errors: theirs; kIo.
  [[nodiscard]] static Result<std::unique_ptr<RankGroup>> make(RankGroupParts parts);
  ~RankGroup() override;

  Result<protocol::TrainReport> train(const protocol::TrainTask& task,
                                      const std::atomic<bool>& stop,
                                      const std::function<void(std::uint32_t)>& progress) override;
  Result<std::vector<Bytes>> encode(const compression::PayloadFormat& format) override;
  Status settle(protocol::Settlement settlement) override;
  Result<StateHead> describe() override;
  Status write(StateFile& file, std::uint64_t first_entry) override;
  Status read(const StateFile& file) override;
  bool is_sound() override;
  Status restart() override;

 private:
  struct Rank {
    RankChannel channel;
    std::unique_ptr<RankProcess> process;
  };
  struct Answer {
    bool is_there = false;
    bool is_gone = false;  // its end of the channel was closed instead
    Bytes content;         // of kDone
    std::vector<Bytes> segments;
    std::optional<Error> failure;
    bool is_sound = true;
  };
  struct Watch {  // what happens while ranks are at work
    const std::atomic<bool>* stop = nullptr;
    const std::function<void(std::uint32_t)>* progress = nullptr;
  };

  explicit RankGroup(RankGroupParts parts) : parts_(std::move(parts)) {}
  [[nodiscard]] Status start();
  // The same request to all.
  [[nodiscard]] Result<std::vector<Answer>> ask(RankMessageKind kind, const Bytes& content);
  [[nodiscard]] Result<std::vector<Answer>> ask(RankMessageKind kind, const Bytes& content,
                                                const Watch& watch);
  [[nodiscard]] Result<std::vector<Answer>> ask_each(RankMessageKind kind,
                                                     const std::vector<Bytes>& contents,
                                                     const Watch& watch);
  [[nodiscard]] Result<std::vector<Answer>> collect(const Watch& watch);
  // Those that did not answer count as hung: the one that is stopped, if one is.
  void give_up(std::vector<Answer>& answers) const;
  [[nodiscard]] TimeMs now() const {
    return (parts_.clock != nullptr ? *parts_.clock : own_clock_).now_ms();
  }
  // Takes what there is of one rank.
  void take(unsigned rank, Answer& answer, const Watch& watch);
  // The error that explains the others; ends all ranks unless they can go on.
  [[nodiscard]] Error explain(const std::vector<Answer>& answers);
  // "rank 1 of 2 (process 77)"
  [[nodiscard]] std::string name_of(unsigned rank) const;
  void end_all() { ranks_.clear(); }

  RankGroupParts parts_;
  SteadyClock own_clock_;
  Silence silence_;
  std::vector<Rank> ranks_;  // none: they have ended
  unsigned starts_ = 0;
  std::vector<std::uint64_t> entries_;  // of each rank, as last described
};

}  // namespace muster::trainer
