#include <algorithm>

#include "wire/blob_messages.h"
#include "wire/blob_transfer.h"

namespace muster::wire {
namespace {

using Kind = BlobMessage::Kind;

constexpr TimeMs kFullQueueMs = 20;  // until a peer that did not read is tried again
constexpr std::size_t kSweepReadersAt = 1024;

Outgoing answer(const PublicKey& to, Kind kind, const Hash& id, const std::string& reason = {}) {
  return {to, blob_answer(kind, id, reason)};
}

// Whether the content is wrong. Everything else passes: a full disk, no descriptors, a folder that
// is mounted again.
bool is_final(const Error& error) {
  switch (error.code) {
    case Errc::kBadHash:
    case Errc::kMalformed:
    case Errc::kTooLarge:
    case Errc::kTruncated:
    case Errc::kVersion:
      return true;
    default:
      return false;
  }
}

BlobServer::Response refusal(const PublicKey& to, const Hash& id, const std::string& why) {
  return {{answer(to, Kind::kRefused, id, why)}, {}, why, {}};
}
BlobServer::Response unserved(const std::string& why) { return {{}, {}, why, {}}; }
BlobServer::Response only(Outgoing message) { return {{std::move(message)}, {}, {}, {}}; }

}  // namespace

BlobServer::Response BlobServer::on_message(const PublicKey& from, ByteSpan bytes, TimeMs now) {
  auto message = read_blob_message(bytes);
  if (!message) return unserved(message.error().message);
  switch (message->kind) {
    case Kind::kGet:
      return queue_get(from, {message->id, message->offset, message->frames}, now);
    case Kind::kPut:
      return take_offer(from, {message->id, message->total});
    case Kind::kFrame:
      return take_frame(from, message->id, message->offset, message->bytes);
    default:
      return unserved("a message that only a server sends");
  }
}

// ---- uploads

BlobServer::Permit* BlobServer::find_permit(const PublicKey& from, const Hash& id) {
  const auto mine = permits_.find(from);
  if (mine == permits_.end()) return nullptr;
  const auto found = mine->second.find(id);
  return found == mine->second.end() ? nullptr : &found->second;
}

BlobServer::Response BlobServer::permit(const PublicKey& from, const Hash& id,
                                        std::uint64_t bytes) {
  if (bytes == 0) return unserved("a permit for an empty blob");
  auto& mine = permits_[from];
  if (mine.contains(id)) return {};
  Permit& permit = mine[id];
  permit.bytes = bytes;
  if (uploads_.partial_size(from, id) > bytes) uploads_.drop_partial(from, id);
  const auto offer = offers_.find(from);
  const bool offered = offer != offers_.end() && offer->second.id == id;
  const std::uint64_t total = offered ? offer->second.total : bytes;
  if (offered) offers_.erase(offer);
  if (offered) return begin_upload(from, id, permit, total);
  if (const auto here = uploads_.size(id); here && *here == bytes)
    return uploaded(from, id, permit);
  return {};
}

BlobServer::Response BlobServer::end_round() {
  Response response;
  for (const auto& [from, mine] : permits_)
    for (const auto& [id, permit] : mine)
      if (!permit.done && permit.promised > 0)
        response.messages.push_back(answer(from, Kind::kRefused, id, "the round has ended"));
  permits_.clear();
  uploads_.drop_partials();
  return response;
}

BlobServer::Response BlobServer::take_offer(const PublicKey& from, const Offer& offer) {
  if (Permit* permit = find_permit(from, offer.id))
    return begin_upload(from, offer.id, *permit, offer.total);
  if (uploads_.size(offer.id)) return only(answer(from, Kind::kHave, offer.id));
  offers_[from] = offer;
  return {};
}

BlobServer::Response BlobServer::begin_upload(const PublicKey& from, const Hash& id, Permit& permit,
                                              std::uint64_t total) {
  if (permit.done) return only(answer(from, Kind::kHave, id));
  if (total != permit.bytes) {
    return refusal(from, id,
                   "it has " + std::to_string(total) + " bytes, " + std::to_string(permit.bytes) +
                       " are allowed: exactly those that the commit names");
  }
  if (const auto here = uploads_.size(id); here && *here == total)
    return uploaded(from, id, permit);
  if (uploads_.partial_size(from, id) >= total) return finish_upload(from, id, permit);
  return only(want(from, id, permit));
}

Outgoing BlobServer::want(const PublicKey& from, const Hash& id, Permit& permit) {
  BlobMessage message;
  message.kind = Kind::kWant;
  message.id = id;
  message.offset = uploads_.partial_size(from, id);
  message.frames = limits::kTransferCreditFrames;
  permit.promised = std::min(permit.bytes, message.offset + kCreditBytes);
  return {from, encode(message)};
}

BlobServer::Response BlobServer::take_frame(const PublicKey& from, const Hash& id,
                                            std::uint64_t offset, ByteSpan bytes) {
  Permit* const permit = find_permit(from, id);
  if (permit == nullptr || permit->done || permit->promised == 0)
    return unserved("a frame that was not asked for");
  const std::uint64_t here = uploads_.partial_size(from, id);
  if (offset != here) return {};  // an old frame, after a new beginning
  if (bytes.empty() || bytes.size() > permit->promised - std::min(here, permit->promised))
    return refusal(from, id, "more than there is credit for");
  if (Status appended = uploads_.append(from, id, bytes); !appended)
    return wait_for_room(from, id, *permit, appended.error());
  permit->waits_for_room = false;
  const std::uint64_t now = here + bytes.size();
  if (now == permit->bytes) return finish_upload(from, id, *permit);
  if (now == permit->promised) return only(want(from, id, *permit));
  return {};
}

BlobServer::Response BlobServer::finish_upload(const PublicKey& from, const Hash& id,
                                               Permit& permit) {
  if (Status finished = uploads_.finish(from, id); !finished) {
    if (!is_final(finished.error())) return wait_for_room(from, id, permit, finished.error());
    permit.promised = 0;
    return refusal(from, id, finished.error().message);
  }
  return uploaded(from, id, permit);
}

BlobServer::Response BlobServer::uploaded(const PublicKey& from, const Hash& id, Permit& permit) {
  permit.done = true;
  return {{answer(from, Kind::kHave, id)}, Uploaded{from, id}, {}, {}};
}

BlobServer::Response BlobServer::wait_for_room(const PublicKey& from, const Hash& id,
                                               Permit& permit, const Error& error) {
  permit.promised = 0;
  Response response = only(answer(from, Kind::kWait, id, "no room: try again"));
  if (!permit.waits_for_room)
    response.no_room = "an upload of " + from.brief() + " waits: " + error.message;
  permit.waits_for_room = true;
  return response;
}

// ---- downloads

const BlobStore& BlobServer::store_of(const Hash& id) const {
  return served_.size(id) ? served_ : static_cast<const BlobStore&>(uploads_);
}

void BlobServer::forget_idle_readers(TimeMs now) {
  if (readers_.size() < kSweepReadersAt) return;
  for (auto reader = readers_.begin(); reader != readers_.end();) {
    const bool idle = reader->second.stretches.empty() && reader->second.gets.full(now) &&
                      reader->second.bytes.full(now);
    reader = idle ? readers_.erase(reader) : std::next(reader);
  }
}

BlobServer::Response BlobServer::queue_get(const PublicKey& from, const Stretch& stretch,
                                           TimeMs now) {
  if (stretch.frames == 0) return unserved("a stretch of no frames");
  forget_idle_readers(now);
  Reader& reader =
      readers_
          .try_emplace(from,
                       Reader{TokenBucket(limits_.gets), TokenBucket(limits_.served_bytes), {}, 0})
          .first->second;
  reader.due = std::max(reader.due, reader.gets.take(1, now));
  // Whoever asks again for a blob goes on from there.
  std::erase_if(reader.stretches, [&](const Stretch& other) { return other.id == stretch.id; });
  if (reader.stretches.size() >= limits_.stretches_max) reader.stretches.pop_front();
  reader.stretches.push_back(stretch);
  if (std::find(turns_.begin(), turns_.end(), from) == turns_.end()) turns_.push_back(from);
  return {};
}

std::optional<Outgoing> BlobServer::next_frame(TimeMs now) {
  for (std::size_t tried = 0; tried < turns_.size(); ++tried) {
    const PublicKey to = turns_.front();
    const Reader& reader = readers_.at(to);
    if (reader.due > now) {
      turns_.pop_front();
      turns_.push_back(to);
      turn_frames_ = 0;
      continue;
    }
    const Stretch& stretch = reader.stretches.front();
    const BlobStore& store = store_of(stretch.id);
    const auto total = store.size(stretch.id);
    pending_ = Pending{0, true};
    if (!total) return answer(to, Kind::kRefused, stretch.id, "not here");
    if (stretch.offset > *total)
      return answer(to, Kind::kRefused, stretch.id, "offset after the end");
    auto piece = store.read(stretch.id, stretch.offset, limits::kFrameBytesMax);
    if (!piece) return answer(to, Kind::kWait, stretch.id, "cannot be read now");
    BlobMessage frame;
    frame.kind = Kind::kFrame;
    frame.id = stretch.id;
    frame.offset = stretch.offset;
    frame.total = *total;
    frame.bytes = std::move(*piece);
    pending_ = Pending{frame.bytes.size(),
                       stretch.frames == 1 || stretch.offset + frame.bytes.size() >= *total};
    return Outgoing{to, encode(frame)};
  }
  return std::nullopt;
}

void BlobServer::sent(TimeMs now) {
  MUSTER_CHECK(pending_.has_value(), "no frame to be sent");
  const PublicKey to = turns_.front();
  Reader& reader = readers_.at(to);
  Stretch& stretch = reader.stretches.front();
  stretch.offset += pending_->bytes;
  --stretch.frames;
  reader.due = std::max(reader.due, reader.bytes.take(static_cast<double>(pending_->bytes), now));
  if (pending_->ends_stretch) reader.stretches.pop_front();
  pending_.reset();
  if (++turn_frames_ < limits_.frames_per_turn && !reader.stretches.empty()) return;
  turn_frames_ = 0;
  turns_.pop_front();
  if (!reader.stretches.empty()) turns_.push_back(to);
}

void BlobServer::not_sent(bool gone, TimeMs now) {
  MUSTER_CHECK(pending_.has_value(), "no frame to be sent");
  pending_.reset();
  turn_frames_ = 0;
  const PublicKey to = turns_.front();
  turns_.pop_front();
  Reader& reader = readers_.at(to);
  if (gone) {
    reader.stretches.clear();
  } else {
    reader.due = std::max(reader.due, now + kFullQueueMs);
    turns_.push_back(to);
  }
}

std::optional<TimeMs> BlobServer::next_due() const {
  std::optional<TimeMs> due;
  for (const PublicKey& to : turns_)
    due = std::min(due.value_or(readers_.at(to).due), readers_.at(to).due);
  return due;
}

}  // namespace muster::wire
