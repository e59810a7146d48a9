#include "trainer/ranks/rank_server.h"

#include "base/limits.h"
#include "trainer/ranks/rank_messages.h"

namespace muster::trainer {
namespace {

class RankServer {
 public:
  RankServer(RankChannel& channel, RoundTrainer& trainer, const compression::Layout& layout)
      : channel_(channel), trainer_(trainer), layout_(layout) {}

  Status run() {
    while (trainer_.is_sound()) {
      auto request = channel_.receive();
      if (!request)
        return request.error().code == Errc::kClosed ? Status()
                                                     : Status(std::move(request).error());
      auto answer = carry_out(*request);
      if (answer && request->kind == RankMessageKind::kStop)
        continue;  // came too late: nothing is going on
      MUSTER_TRY_STATUS(answer ? channel_.send(RankMessageKind::kDone, *answer)
                               : fail(answer.error()));
    }
    return {};
  }

 private:
  Status fail(const Error& error) {
    const FailureAnswer failure{static_cast<std::uint8_t>(error.code),
                                error.message.substr(0, limits::kTextBytesMax),
                                trainer_.is_sound()};
    return channel_.send(RankMessageKind::kFailed, wire::encode(failure));
  }

  Result<Bytes> carry_out(const RankMessage& request) {
    switch (request.kind) {
      case RankMessageKind::kTrain:
        return train(request.content);
      case RankMessageKind::kStop:
        return Bytes();
      case RankMessageKind::kEncode:
        return encode(request.content);
      case RankMessageKind::kSettle:
        return settle(request.content);
      case RankMessageKind::kDescribe:
        return describe();
      case RankMessageKind::kWrite:
        return write(request.content);
      case RankMessageKind::kRead:
        return read(request.content);
      default:
        return Error{Errc::kMalformed, "a rank was sent an answer"};
    }
  }

  Result<Bytes> train(ByteSpan content) {
    MUSTER_TRY(auto request, wire::decode<TrainRequest>(content, "a rank's task"));
    std::atomic<bool> stop{false};
    // Between steps: whatever a miner sends now, or its end, means to stop.
    const auto after_step = [&](std::uint32_t step) {
      (void)channel_.send(RankMessageKind::kStepped, wire::encode(SteppedNote{step}));
      if (channel_.is_readable()) {
        (void)channel_.receive();
        stop = true;
      }
    };
    MUSTER_TRY(const auto report,
               trainer_.train({request.round, std::move(request.sequences), request.inner_steps},
                              stop, after_step));
    return wire::encode(TrainAnswer{report.sequences_used, report.inner_steps, report.skipped_steps,
                                    report.mean_loss});
  }

  Result<Bytes> encode(ByteSpan content) {
    MUSTER_TRY(const auto request, wire::decode<EncodeRequest>(content, "a rank's format"));
    if (request.values >= compression::kValueFormats)
      return Error{Errc::kMalformed, "a rank's format: unknown values"};
    const compression::PayloadFormat format{
        request.keep, static_cast<compression::ValueFormat>(request.values), request.memory_keep};
    MUSTER_TRY(const auto segments, trainer_.encode(format));
    for (const Bytes& segment : segments)
      MUSTER_TRY_STATUS(channel_.send(RankMessageKind::kSegment, segment));
    return Bytes();
  }

  Result<Bytes> settle(ByteSpan content) {
    MUSTER_TRY(const auto request, wire::decode<SettleRequest>(content, "a rank's settlement"));
    if (request.settlement > static_cast<std::uint8_t>(protocol::Settlement::kMissed))
      return Error{Errc::kMalformed, "a rank's settlement: unknown"};
    MUSTER_TRY_STATUS(trainer_.settle(static_cast<protocol::Settlement>(request.settlement)));
    return Bytes();
  }

  Result<Bytes> describe() {
    MUSTER_TRY(const StateHead head, trainer_.describe());
    return wire::encode(DescribeAnswer{head.optimizer_steps, head.entries, head.pending});
  }

  Result<Bytes> write(ByteSpan content) {
    MUSTER_TRY(const auto request, wire::decode<StateRequest>(content, "a rank's state"));
    MUSTER_TRY(auto file, StateFile::join(request.path, layout_));
    MUSTER_TRY_STATUS(trainer_.write(file, request.first_entry));
    return Bytes();
  }

  Result<Bytes> read(ByteSpan content) {
    MUSTER_TRY(const auto request, wire::decode<StateRequest>(content, "a rank's state"));
    MUSTER_TRY(const auto file, StateFile::open(request.path, layout_));
    MUSTER_TRY_STATUS(trainer_.read(file));
    return Bytes();
  }

  RankChannel& channel_;
  RoundTrainer& trainer_;
  const compression::Layout& layout_;
};

}  // namespace

Status announce(RankChannel& channel, const Status& readiness) {
  if (readiness) return channel.send(RankMessageKind::kDone, {});
  const FailureAnswer failure{static_cast<std::uint8_t>(readiness.error().code),
                              readiness.error().message.substr(0, limits::kTextBytesMax), false};
  return channel.send(RankMessageKind::kFailed, wire::encode(failure));
}

Status serve_rank(RankChannel& channel, RoundTrainer& trainer, const compression::Layout& layout) {
  return RankServer(channel, trainer, layout).run();
}

}  // namespace muster::trainer
