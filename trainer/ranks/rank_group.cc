#include "trainer/ranks/rank_group.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "trainer/ranks/rank_messages.h"

namespace muster::trainer {
namespace {

constexpr int kPollMs = 100;
// How long the others are listened to when one has failed: one of them may know better why.
constexpr TimeMs kLastWordsMs = 2000;
constexpr std::uint32_t kStarting = 0;  // as work, beside the kinds of requests

// Whether the system has stopped the process, as with SIGSTOP or under a debugger.
bool is_stopped(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_ends = line.rfind(')');  // the name may have anything in it
  const char state =
      name_ends != std::string::npos && name_ends + 2 < line.size() ? line[name_ends + 2] : '?';
  return state == 'T' || state == 't';
}

std::string seconds(TimeMs ms) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", static_cast<double>(ms) / 1000);
  return text;
}

}  // namespace

Result<std::unique_ptr<RankGroup>> RankGroup::make(RankGroupParts parts) {
  MUSTER_CHECK(parts.size > 0, "no ranks");
  std::unique_ptr<RankGroup> group(new RankGroup(std::move(parts)));
  MUSTER_TRY_STATUS(group->start());
  return group;
}

RankGroup::~RankGroup() { end_all(); }

std::string RankGroup::name_of(unsigned rank) const {
  return "rank " + std::to_string(rank) + " of " + std::to_string(parts_.size) + " (process " +
         std::to_string(ranks_[rank].process->pid()) + ")";
}

Status RankGroup::start() {
  end_all();
  // A folder of its own for every start: what the last ranks left there must not be found.
  const auto meeting = parts_.folder / ("start-" + std::to_string(starts_++));
  std::error_code error;
  std::filesystem::remove_all(meeting, error);
  std::filesystem::create_directories(meeting, error);
  if (error) return Error{Errc::kIo, meeting.string() + ": " + error.message()};
  for (unsigned rank = 0; rank < parts_.size; ++rank) {
    MUSTER_TRY(auto ends, RankChannel::make_pair());
    MUSTER_TRY(auto process,
               parts_.start({rank, parts_.size, meeting, ends.second.descriptor(), parts_.theta}));
    ranks_.push_back({std::move(ends.first), std::move(process)});
  }
  silence_.begin(kStarting, Silence::kAnswers, now());
  auto ready = collect({});
  std::filesystem::remove_all(meeting, error);
  if (!ready) {
    end_all();
    return std::move(ready).error();
  }
  std::string processes;
  for (const Rank& rank : ranks_)
    processes += (processes.empty() ? "" : ", ") + std::to_string(rank.process->pid());
  parts_.note(std::to_string(parts_.size) + " ranks are ready: processes " + processes);
  return {};
}

bool RankGroup::is_sound() {
  for (unsigned rank = 0; rank < ranks_.size(); ++rank) {
    const auto ended = ranks_[rank].process->ended();
    if (!ended) continue;
    parts_.note(name_of(rank) + " " + *ended + "; all start anew");
    end_all();
  }
  return !ranks_.empty();
}

Status RankGroup::restart() { return start(); }

void RankGroup::take(unsigned rank, Answer& answer, const Watch& watch) {
  auto message = ranks_[rank].channel.receive();
  if (!message) {
    answer.is_there = answer.is_gone = true;
    answer.is_sound = false;
    answer.failure = std::move(message).error();
  } else if (message->kind == RankMessageKind::kStepped) {
    const auto stepped = wire::decode<SteppedNote>(message->content, "a rank's step");
    if (rank == 0 && stepped && watch.progress != nullptr) (*watch.progress)(stepped->step);
  } else if (message->kind == RankMessageKind::kSegment) {
    answer.segments.push_back(std::move(message->content));
  } else if (message->kind == RankMessageKind::kDone) {
    answer.is_there = true;
    answer.content = std::move(message->content);
  } else {
    auto failure = wire::decode<FailureAnswer>(message->content, "a rank's failure");
    answer.is_there = true;
    answer.is_sound = failure && failure->is_sound;
    answer.failure = failure ? Error{static_cast<Errc>(failure->code), std::move(failure->message)}
                             : std::move(failure).error();
  }
}

Result<std::vector<RankGroup::Answer>> RankGroup::collect(const Watch& watch) {
  std::vector<Answer> answers(ranks_.size());
  bool is_stop_sent = false;
  std::optional<TimeMs> deadline;  // once a rank has failed that others may wait for
  for (;;) {
    std::vector<pollfd> waiting;
    std::vector<unsigned> who;
    for (unsigned rank = 0; rank < ranks_.size(); ++rank) {
      if (answers[rank].is_there) continue;
      waiting.push_back({ranks_[rank].channel.descriptor(), POLLIN, 0});
      who.push_back(rank);
    }
    if (waiting.empty() || (deadline && now() >= *deadline)) break;
    const bool any = ::poll(waiting.data(), waiting.size(), kPollMs) > 0;
    silence_.pass(now());
    if (any) silence_.heard();
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].revents != 0) take(who[i], answers[who[i]], watch);
    if (silence_.is_over()) {
      give_up(answers);
      break;
    }
    if (watch.stop != nullptr && *watch.stop && !std::exchange(is_stop_sent, true))
      for (Rank& rank : ranks_) (void)rank.channel.send(RankMessageKind::kStop, {});
    const bool is_broken =
        std::ranges::any_of(answers, [](const Answer& it) { return !it.is_sound; });
    if (is_broken && !deadline) deadline = now() + kLastWordsMs;
  }
  if (std::ranges::any_of(answers, [](const Answer& it) { return it.failure.has_value(); }))
    return explain(answers);
  return answers;
}

void RankGroup::give_up(std::vector<Answer>& answers) const {
  const bool any_stopped = [&] {
    for (unsigned rank = 0; rank < ranks_.size(); ++rank)
      if (!answers[rank].is_there && is_stopped(ranks_[rank].process->pid())) return true;
    return false;
  }();
  const std::string silent = "has said nothing for " + seconds(silence_.silent_ms()) + ", where " +
                             seconds(silence_.longest_ms().value_or(0)) + " was the longest before";
  for (unsigned rank = 0; rank < ranks_.size(); ++rank) {
    Answer& answer = answers[rank];
    const bool stopped = is_stopped(ranks_[rank].process->pid());
    if (answer.is_there || stopped != any_stopped) continue;
    answer.is_sound = false;
    answer.failure =
        Error{Errc::kTimeout,
              stopped ? "is stopped, as by SIGSTOP or a debugger, and " + silent : silent};
  }
}

Error RankGroup::explain(const std::vector<Answer>& answers) {
  // A process that is gone explains the others' lost connections, and an error of its own the
  // others' cancelled rounds.
  const auto weight = [](const Answer& answer) {
    if (!answer.failure) return 0;
    if (answer.is_gone) return 4;
    if (answer.failure->code == Errc::kCancelled) return 1;
    return answer.failure->code == Errc::kClosed ? 2 : 3;
  };
  const auto heaviest = std::ranges::max_element(answers, {}, weight);
  const auto worst = static_cast<unsigned>(heaviest - answers.begin());
  Error error = *heaviest->failure;
  if (std::ranges::all_of(answers, [](const Answer& it) { return it.is_there && it.is_sound; }))
    return error;
  if (heaviest->is_gone) {
    // Its channel closes a moment before the system says how it ended.
    for (int turn = 0; turn < kLastWordsMs / kPollMs && !ranks_[worst].process->ended(); ++turn)
      (void)::poll(nullptr, 0, kPollMs);
    error = {Errc::kClosed,
             name_of(worst) + " " + ranks_[worst].process->ended().value_or("closed its channel")};
  } else {
    error = error.code == Errc::kTimeout ? Error{error.code, name_of(worst) + " " + error.message}
                                         : std::move(error).within(name_of(worst));
  }
  // Not everybody who asks says why it failed: the ranks may start anew at once.
  parts_.note(error.message + "; all ranks end");
  end_all();
  return error;
}

Result<std::vector<RankGroup::Answer>> RankGroup::ask(RankMessageKind kind, const Bytes& content) {
  return ask(kind, content, Watch{});
}

Result<std::vector<RankGroup::Answer>> RankGroup::ask(RankMessageKind kind, const Bytes& content,
                                                      const Watch& watch) {
  return ask_each(kind, std::vector<Bytes>(ranks_.size(), content), watch);
}

Result<std::vector<RankGroup::Answer>> RankGroup::ask_each(RankMessageKind kind,
                                                           const std::vector<Bytes>& contents,
                                                           const Watch& watch) {
  MUSTER_CHECK(!ranks_.empty(), "ranks that have ended were asked");
  silence_.begin(static_cast<std::uint32_t>(kind),
                 kind == RankMessageKind::kTrain ? parts_.steps : Silence::kAnswers, now());
  // A send that fails shows as the end of the channel when the answer is read.
  for (unsigned rank = 0; rank < ranks_.size(); ++rank)
    (void)ranks_[rank].channel.send(kind, contents[rank]);
  return collect(watch);
}

Result<protocol::TrainReport> RankGroup::train(const protocol::TrainTask& task,
                                               const std::atomic<bool>& stop,
                                               const std::function<void(std::uint32_t)>& progress) {
  const TrainRequest request{task.round, task.sequences, task.inner_steps};
  MUSTER_TRY(const auto answers,
             ask(RankMessageKind::kTrain, wire::encode(request), {&stop, &progress}));
  MUSTER_TRY(const auto report,
             wire::decode<TrainAnswer>(answers.front().content, "a rank's report"));
  return protocol::TrainReport{report.sequences_used, report.inner_steps, report.skipped_steps,
                               report.mean_loss};
}

Result<std::vector<Bytes>> RankGroup::encode(const compression::PayloadFormat& format) {
  const EncodeRequest request{format.keep, static_cast<std::uint8_t>(format.values),
                              format.memory_keep};
  MUSTER_TRY(auto answers, ask(RankMessageKind::kEncode, wire::encode(request)));
  std::vector<Bytes> segments;
  for (Answer& answer : answers)
    for (Bytes& segment : answer.segments) segments.push_back(std::move(segment));
  return segments;
}

Status RankGroup::settle(protocol::Settlement settlement) {
  const SettleRequest request{static_cast<std::uint8_t>(settlement)};
  MUSTER_TRY(const auto answers, ask(RankMessageKind::kSettle, wire::encode(request)));
  return {};
}

Result<StateHead> RankGroup::describe() {
  MUSTER_TRY(const auto answers, ask(RankMessageKind::kDescribe, {}));
  StateHead head{.tag = 0,
                 .optimizer_steps = 0,
                 .pending = false,
                 .entries = 0,
                 .optimizer = parts_.optimizer};
  entries_.clear();
  for (const Answer& answer : answers) {
    MUSTER_TRY(const auto mine, wire::decode<DescribeAnswer>(answer.content, "a rank's state"));
    head.optimizer_steps = mine.optimizer_steps;
    head.pending = head.pending || mine.pending;
    head.entries += mine.entries;
    entries_.push_back(mine.entries);
  }
  return head;
}

Status RankGroup::write(StateFile& file, std::uint64_t first_entry) {
  MUSTER_CHECK(entries_.size() == ranks_.size(), "a state that was not described");
  std::vector<Bytes> requests;
  for (const std::uint64_t entries : entries_) {
    requests.push_back(wire::encode(StateRequest{file.path().string(), first_entry}));
    first_entry += entries;
  }
  MUSTER_TRY(const auto answers, ask_each(RankMessageKind::kWrite, requests, {}));
  return {};
}

Status RankGroup::read(const StateFile& file) {
  MUSTER_TRY(const auto answers,
             ask(RankMessageKind::kRead, wire::encode(StateRequest{file.path().string(), 0})));
  return {};
}

}  // namespace muster::trainer
