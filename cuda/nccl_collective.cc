#include "cuda/nccl_collective.h"

#include <cstring>
#include <map>
#include <string>

#include "base/check.h"
#include "cuda/nccl.h"

namespace muster::gpu {
namespace {

// A rank that died without a word is given up after this; a step's own work counts too.
constexpr double kPatienceSeconds = 1800;

class NcclCollective final : public CardCollective {
 public:
  NcclCollective(CardContext& card, const Nccl& nccl, ncclComm_t group, unsigned rank,
                 unsigned size)
      : card_(card), nccl_(nccl), group_(group), rank_(rank), size_(size), stream_(card.stream()) {
    card_.watch([this](double seconds) { return check(seconds); });
  }
  ~NcclCollective() override {
    card_.watch({});
    (void)card_.enter();
    if (group_ != nullptr) (void)(fault_.empty() ? nccl_.destroy(group_) : nccl_.abort(group_));
  }

  unsigned rank() const override { return rank_; }
  unsigned size() const override { return size_; }
  void use(cudaStream_t stream) override { stream_ = stream; }
  void before_leaving(const void* owner, std::function<void()> forget) override {
    if (forget)
      forgets_[owner] = std::move(forget);
    else
      forgets_.erase(owner);
  }
  void leave(const std::string& why) override {
    give_up(why);
    if (group_ == nullptr) return;
    for (const auto& [owner, forget] : forgets_) forget();
    (void)nccl_.abort(std::exchange(group_, nullptr));
  }

  Status all_gather(std::span<float> values, std::span<const Range> owned) override {
    return together([&](auto&& call) {
      for (unsigned owner = 0; owner < size_; ++owner) {
        if (owned[owner].empty()) continue;
        const auto part = part_of(values, owned[owner]);
        call(nccl_.broadcast(part.data(), part.data(), part.size(), ncclFloat,
                             static_cast<int>(owner), group_, stream_));
      }
    });
  }

  Status reduce_scatter(std::span<const float> values, std::span<const Range> owned,
                        std::span<float> sum) override {
    return together([&](auto&& call) {
      for (unsigned owner = 0; owner < size_; ++owner) {
        if (owned[owner].empty()) continue;
        const auto part = part_of(values, owned[owner]);
        call(nccl_.reduce(part.data(), owner == rank_ ? sum.data() : nullptr, part.size(),
                          ncclFloat, ncclSum, static_cast<int>(owner), group_, stream_));
      }
    });
  }

  Status reshare(std::span<const float> from, std::span<const Range> before, std::span<float> to,
                 std::span<const Range> after) override {
    if (const Range here = common(before[rank_], after[rank_]); !here.empty()) {
      MUSTER_TRY_STATUS(card_.enter());
      const auto source = part_of(from, here, before[rank_].begin);
      MUSTER_TRY_STATUS(
          checked(cudaMemcpyAsync(part_of(to, here, after[rank_].begin).data(), source.data(),
                                  source.size_bytes(), cudaMemcpyDeviceToDevice, stream_),
                  "copying"));
    }
    return together([&](auto&& call) {
      for (unsigned peer = 0; peer < size_; ++peer) {
        if (peer == rank_) continue;
        const Range in = common(before[peer], after[rank_]),
                    out = common(before[rank_], after[peer]);
        if (!out.empty())
          call(nccl_.send(part_of(from, out, before[rank_].begin).data(), out.size(), ncclFloat,
                          static_cast<int>(peer), group_, stream_));
        if (!in.empty())
          call(nccl_.receive(part_of(to, in, after[rank_].begin).data(), in.size(), ncclFloat,
                             static_cast<int>(peer), group_, stream_));
      }
    });
  }

  Status share(std::span<const double> mine, std::span<double> all) override {
    MUSTER_TRY_STATUS(card_.enter());
    if (shared_.size() < all.size()) {
      MUSTER_TRY(shared_, card_.allocate<double>(all.size()));
    }
    double* const own = shared_.data() + rank_ * mine.size();
    MUSTER_TRY_STATUS(checked(
        cudaMemcpyAsync(own, mine.data(), mine.size_bytes(), cudaMemcpyHostToDevice, stream_),
        "writing memory"));
    MUSTER_TRY_STATUS(together([&](auto&& call) {
      call(nccl_.all_gather(own, shared_.data(), mine.size(), ncclDouble, group_, stream_));
    }));
    MUSTER_TRY_STATUS(shared_.read(all, stream_));
    return card_.finish();
  }

 private:
  // Hands `fill` what takes the results of NCCL's calls, which become one operation.
  template <class Fill>
  Status together(const Fill& fill) {
    if (!fault_.empty()) return fault();
    MUSTER_TRY_STATUS(card_.enter());
    ncclResult_t first = nccl_.begin_group();
    fill([&](ncclResult_t result) {
      if (first == ncclSuccess) first = result;
    });
    const ncclResult_t last = nccl_.end_group();
    if (first == ncclSuccess) first = last;
    if (first == ncclSuccess) return {};
    give_up(std::string("NCCL: ") + nccl_.words_of(first));
    return fault();
  }

  // While the host waits for the card.
  Status check(double seconds) {
    if (group_ == nullptr) return {};
    ncclResult_t state = ncclSuccess;
    if (const ncclResult_t asked = nccl_.ask_error(group_, &state); asked != ncclSuccess)
      state = asked;
    if (state != ncclSuccess && state != ncclInProgress)
      leave(std::string("NCCL: ") + nccl_.words_of(state));
    else if (seconds > kPatienceSeconds)
      leave("no answer for half an hour");
    else
      return {};
    return fault();
  }
  void give_up(const std::string& why) {
    if (fault_.empty())
      fault_ = "rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
               " lost another: " + why;
  }
  [[nodiscard]] Error fault() const { return {Errc::kClosed, fault_}; }

  CardContext& card_;
  Nccl nccl_;
  ncclComm_t group_;
  unsigned rank_, size_;
  cudaStream_t stream_;
  Memory<double> shared_;
  std::map<const void*, std::function<void()>> forgets_;
  std::string fault_;  // what ended it
};

}  // namespace

Result<GroupId> make_nccl_id() {
  MUSTER_TRY(const Nccl nccl, load_nccl());
  ncclUniqueId id;
  if (const ncclResult_t made = nccl.make_id(&id); made != ncclSuccess)
    return Error{Errc::kIo, std::string("NCCL makes no group: ") + nccl.words_of(made)};
  GroupId group;
  static_assert(sizeof(id) == sizeof(group.bytes));
  std::memcpy(group.bytes.data(), &id, sizeof(id));
  return group;
}

Result<std::unique_ptr<CardCollective>> join_nccl(CardContext& card, const GroupId& group,
                                                  unsigned rank, unsigned size) {
  MUSTER_CHECK(rank < size, "a rank that is none of them");
  MUSTER_TRY(const Nccl nccl, load_nccl());
  MUSTER_TRY_STATUS(card.enter());
  ncclUniqueId id;
  std::memcpy(&id, group.bytes.data(), sizeof(id));
  ncclComm_t joined = nullptr;
  if (const ncclResult_t result =
          nccl.join(&joined, static_cast<int>(size), id, static_cast<int>(rank));
      result != ncclSuccess)
    return Error{Errc::kClosed, "rank " + std::to_string(rank) + " of " + std::to_string(size) +
                                    " did not find the others: NCCL: " + nccl.words_of(result) +
                                    "; each needs a card of its own"};
  return std::unique_ptr<CardCollective>(
      std::make_unique<NcclCollective>(card, nccl, joined, rank, size));
}

}  // namespace muster::gpu
