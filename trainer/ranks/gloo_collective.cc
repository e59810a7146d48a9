#include "trainer/ranks/gloo_collective.h"

#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>
#include <gloo/transport/unbound_buffer.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace muster::trainer {
namespace {

class GlooCollective final : public Collective {
 public:
  GlooCollective(std::shared_ptr<gloo::Context> context, unsigned rank, unsigned size)
      : context_(std::move(context)), rank_(rank), size_(size) {}

  unsigned rank() const override { return rank_; }
  unsigned size() const override { return size_; }

  Status all_gather(std::span<float> values, std::span<const Range> owned) override {
    return transfer([&](Exchange& exchange) {
      for (unsigned peer = 0; peer < size_; ++peer) {
        if (peer == rank_) continue;
        exchange.receive(peer, part_of(values, owned[peer]));
        exchange.send(peer, part_of(values, owned[rank_]));
      }
    });
  }

  Status reduce_scatter(std::span<const float> values, std::span<const Range> owned,
                        std::span<float> sum) override {
    const std::uint64_t count = owned[rank_].size();
    received_.resize((size_ - 1) * count);
    const auto of = [&](unsigned peer) {
      return std::span(received_).subspan((peer < rank_ ? peer : peer - 1) * count, count);
    };
    MUSTER_TRY_STATUS(transfer([&](Exchange& exchange) {
      for (unsigned peer = 0; peer < size_; ++peer) {
        if (peer == rank_) continue;
        exchange.receive(peer, of(peer));
        exchange.send(peer, part_of(values, owned[peer]));
      }
    }));
    for (unsigned peer = 0; peer < size_; ++peer) {
      const std::span<const float> term = peer == rank_ ? part_of(values, owned[rank_]) : of(peer);
      if (peer == 0) {
        std::ranges::copy(term, sum.begin());
      } else {
        for (std::uint64_t i = 0; i < count; ++i) sum[i] += term[i];
      }
    }
    return {};
  }

  Status reshare(std::span<const float> from, std::span<const Range> before, std::span<float> to,
                 std::span<const Range> after) override {
    const auto here = common(before[rank_], after[rank_]);
    std::ranges::copy(part_of(from, here, here.empty() ? here.begin : before[rank_].begin),
                      part_of(to, here, here.empty() ? here.begin : after[rank_].begin).begin());
    return transfer([&](Exchange& exchange) {
      for (unsigned peer = 0; peer < size_; ++peer) {
        if (peer == rank_) continue;
        const Range in = common(before[peer], after[rank_]),
                    out = common(before[rank_], after[peer]);
        if (!in.empty()) exchange.receive(peer, part_of(to, in, after[rank_].begin));
        if (!out.empty()) exchange.send(peer, part_of(from, out, before[rank_].begin));
      }
    });
  }

  Status share(std::span<const double> mine, std::span<double> all) override {
    std::ranges::copy(mine, all.subspan(rank_ * mine.size()).begin());
    return transfer([&](Exchange& exchange) {
      for (unsigned peer = 0; peer < size_; ++peer) {
        if (peer == rank_) continue;
        exchange.receive(peer, all.subspan(peer * mine.size(), mine.size()));
        exchange.send(peer, mine);
      }
    });
  }

 private:
  // At most one message from each rank to each other.
  class Exchange {
   public:
    Exchange(gloo::Context& context, std::uint64_t slot) : context_(context), slot_(slot) {}
    template <class T>
    void receive(unsigned peer, std::span<T> to) {
      if (to.empty()) return;
      receives_.push_back(context_.createUnboundBuffer(to.data(), to.size_bytes()));
      receives_.back()->recv(static_cast<int>(peer), slot_);
    }
    template <class T>
    void send(unsigned peer, std::span<T> from) {
      if (from.empty()) return;
      // Gloo takes what it sends as writable and does not write to it.
      auto* data = const_cast<std::remove_const_t<T>*>(from.data());
      sends_.push_back(context_.createUnboundBuffer(data, from.size_bytes()));
      sends_.back()->send(static_cast<int>(peer), slot_);
    }
    void wait() {
      for (const auto& buffer : sends_) buffer->waitSend(context_.getTimeout());
      for (const auto& buffer : receives_) buffer->waitRecv(context_.getTimeout());
    }

   private:
    gloo::Context& context_;
    std::uint64_t slot_;
    std::vector<std::unique_ptr<gloo::transport::UnboundBuffer>> receives_, sends_;
  };

  template <class Fill>
  Status transfer(const Fill& fill) {
    if (!fault_.empty()) return Error{Errc::kClosed, fault_};
    try {
      Exchange exchange(*context_, ++slot_);
      fill(exchange);
      exchange.wait();
    } catch (const std::exception& error) {
      fault_ = "rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
               " lost another: " + error.what();
      return Error{Errc::kClosed, fault_};
    }
    return {};
  }

  std::shared_ptr<gloo::Context> context_;
  unsigned rank_, size_;
  std::uint64_t slot_ = 0;  // of the last call, alike on all ranks
  std::vector<float> received_;
  std::string fault_;  // what ended it
};

}  // namespace

Result<std::unique_ptr<Collective>> join_gloo(const Meeting& meeting, unsigned rank,
                                              unsigned size) {
  MUSTER_CHECK(rank < size, "a rank that is none of them");
  if (!std::filesystem::is_directory(meeting.folder))
    return Error{Errc::kIo, meeting.folder.string() + ": no folder for ranks to meet in"};
  ::signal(SIGPIPE, SIG_IGN);
  try {
    auto device = gloo::transport::tcp::CreateDevice("127.0.0.1");
    gloo::rendezvous::FileStore store(meeting.folder.string());
    auto context =
        std::make_shared<gloo::rendezvous::Context>(static_cast<int>(rank), static_cast<int>(size));
    context->setTimeout(std::chrono::milliseconds(meeting.timeout_ms));
    context->connectFullMesh(store, device);
    return std::unique_ptr<Collective>(
        std::make_unique<GlooCollective>(std::move(context), rank, size));
  } catch (const std::exception& error) {
    return Error{Errc::kClosed, "rank " + std::to_string(rank) + " of " + std::to_string(size) +
                                    " did not find the others: " + error.what()};
  }
}

}  // namespace muster::trainer
