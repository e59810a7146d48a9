#include "wire/blob_transfer.h"

#include <algorithm>

#include "base/limits.h"
#include "wire/codec.h"

namespace muster::wire {
namespace {

enum class Kind : std::uint8_t { kGet, kPut, kFrame, kWant, kHave, kRefused };
constexpr std::uint8_t enum_count(Kind) { return 6; }

// One struct for all kinds keeps the grammar small; unused fields must be zero and empty.
struct BlobMessage {
  Kind kind = Kind::kGet;
  Hash id;
  std::uint64_t offset = 0;  // kGet, kFrame, kWant
  std::uint64_t total = 0;   // kPut, kFrame: bytes of the blob
  std::uint32_t frames = 0;  // kGet, kWant: credit
  Bytes bytes;               // kFrame
  std::string reason;        // kRefused
  template <class Archive>
  void serialize(Archive& archive) { archive(kind, id, offset, total, frames, bytes, reason); }
};

Result<BlobMessage> read_message(ByteSpan bytes) {
  MUSTER_TRY(BlobMessage message, decode<BlobMessage>(bytes, "blob message"));
  if (message.bytes.size() > limits::kFrameBytesMax)
    return Error{Errc::kTooLarge, "blob frame of " + std::to_string(message.bytes.size()) + " bytes"};
  if (message.frames > limits::kTransferCreditFrames)
    return Error{Errc::kTooLarge, "blob credit of " + std::to_string(message.frames) + " frames"};
  return message;
}

constexpr std::uint64_t kCreditBytes =
    std::uint64_t{limits::kTransferCreditFrames} * limits::kFrameBytesMax;

}  // namespace

// ---- server

BlobServer::Response BlobServer::on_message(const PublicKey& from, ByteSpan bytes) {
  auto message = read_message(bytes);
  if (!message) return {{}, {}, message.error().message};
  switch (message->kind) {
    case Kind::kGet: return serve_get(from, message->id, message->offset, message->frames);
    case Kind::kPut: return begin_upload(from, message->id, message->total);
    case Kind::kFrame: return take_frame(from, message->id, message->offset, message->bytes);
    default: return {{}, {}, "a message that only a server sends"};
  }
}

Outgoing BlobServer::refuse(const PublicKey& from, const Hash& id, const std::string& why) {
  BlobMessage message;
  message.kind = Kind::kRefused;
  message.id = id;
  message.reason = why;
  return {from, encode(message)};
}

BlobServer::Response BlobServer::serve_get(const PublicKey& from, const Hash& id,
                                           std::uint64_t offset, std::uint32_t frames) {
  const auto total = store_.size(id);
  if (!total) return {{refuse(from, id, "not here")}, {}, ""};
  if (offset > *total) return {{refuse(from, id, "offset after the end")}, {}, "bad offset"};
  Response response;
  for (std::uint32_t i = 0; i < frames && (offset < *total || i == 0); ++i) {
    auto piece = store_.read(id, offset, limits::kFrameBytesMax);
    if (!piece) return {{refuse(from, id, "cannot be read")}, {}, piece.error().message};
    BlobMessage frame;
    frame.kind = Kind::kFrame;
    frame.id = id;
    frame.offset = offset;
    frame.total = *total;
    offset += piece->size();
    frame.bytes = std::move(*piece);
    response.messages.push_back({from, encode(frame)});
  }
  return response;
}

Outgoing BlobServer::want(const PublicKey& from, Upload& upload) {
  BlobMessage message;
  message.kind = Kind::kWant;
  message.id = upload.id;
  message.offset = store_.partial_size(upload.id);
  message.frames = limits::kTransferCreditFrames;
  upload.promised = std::min(upload.total, message.offset + kCreditBytes);
  return {from, encode(message)};
}

BlobServer::Response BlobServer::begin_upload(const PublicKey& from, const Hash& id,
                                              std::uint64_t total) {
  if (store_.size(id)) return finish_upload(from, id);
  if (total == 0 || total > limits_.upload_bytes_max) {
    return {{refuse(from, id, "too large: at most " + std::to_string(limits_.upload_bytes_max) +
                                  " bytes are taken")},
            {},
            "an upload of " + std::to_string(total) + " bytes"};
  }
  auto& mine = uploads_[from];
  if (!mine.contains(id) && mine.size() >= limits_.uploads_per_peer_max) {
    store_.drop_partial(mine.begin()->first);
    mine.erase(mine.begin());
  }
  Upload& upload = mine[id];
  upload.id = id;
  upload.total = total;
  if (store_.partial_size(id) >= total) {  // complete but for the check
    mine.erase(id);
    return finish_upload(from, id);
  }
  return {{want(from, upload)}, {}, ""};
}

BlobServer::Response BlobServer::take_frame(const PublicKey& from, const Hash& id,
                                            std::uint64_t offset, ByteSpan bytes) {
  auto& mine = uploads_[from];
  const auto found = mine.find(id);
  if (found == mine.end()) return {{}, {}, "a frame that was not asked for"};
  Upload& upload = found->second;
  const std::uint64_t here = store_.partial_size(id);
  if (offset != here) return {{}, {}, ""};  // an old frame, after a new beginning
  if (bytes.empty() || offset + bytes.size() > upload.promised)
    return {{refuse(from, id, "more than there is credit for")}, {}, "frames over credit"};
  if (Status appended = store_.append(id, bytes); !appended) {
    mine.erase(found);
    return {{refuse(from, id, "cannot be stored")}, {}, appended.error().message};
  }
  const std::uint64_t now = here + bytes.size();
  if (now == upload.total) {
    mine.erase(found);
    return finish_upload(from, id);
  }
  if (now == upload.promised) return {{want(from, upload)}, {}, ""};
  return {};
}

BlobServer::Response BlobServer::finish_upload(const PublicKey& from, const Hash& id) {
  if (!store_.size(id)) {
    if (Status finished = store_.finish(id); !finished)
      return {{refuse(from, id, finished.error().message)}, {}, finished.error().message};
  }
  BlobMessage have;
  have.kind = Kind::kHave;
  have.id = id;
  return {{{from, encode(have)}}, Uploaded{from, id}, ""};
}

// ---- client

Bytes BlobClient::ask(const Hash& id, Download& download) {
  BlobMessage get;
  get.kind = Kind::kGet;
  get.id = id;
  get.offset = download.bytes.size();
  get.frames = limits::kTransferCreditFrames;
  download.asked = get.offset + kCreditBytes;
  return encode(get);
}

std::vector<Bytes> BlobClient::fetch(const Hash& id) { return {ask(id, downloads_[id])}; }

std::vector<Bytes> BlobClient::upload(const Hash& id, Bytes blob) {
  uploads_[id] = std::move(blob);
  return upload_again(id);
}

std::vector<Bytes> BlobClient::upload_again(const Hash& id) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return {};
  BlobMessage put;
  put.kind = Kind::kPut;
  put.id = id;
  put.total = found->second.size();
  return {encode(put)};
}

void BlobClient::forget(const Hash& id) {
  uploads_.erase(id);
  downloads_.erase(id);
}

BlobClient::Response BlobClient::on_message(ByteSpan bytes) {
  auto message = read_message(bytes);
  if (!message) return {{}, {}, {}, message.error().message};
  const Hash id = message->id;
  if (message->kind == Kind::kHave) {
    if (uploads_.erase(id) == 0) return {};
    return {{}, {}, id, ""};
  }
  if (message->kind == Kind::kRefused)
    return {{}, {}, {}, "blob " + id.brief() + " refused: " + message->reason};
  if (message->kind == Kind::kWant) {
    const auto found = uploads_.find(id);
    if (found == uploads_.end()) return {};
    Response response;
    std::uint64_t offset = message->offset;
    for (std::uint32_t i = 0; i < message->frames && offset < found->second.size(); ++i) {
      const ByteSpan rest = ByteSpan(found->second).subspan(offset);
      const ByteSpan piece = rest.first(std::min(rest.size(), limits::kFrameBytesMax));
      BlobMessage frame;
      frame.kind = Kind::kFrame;
      frame.id = id;
      frame.offset = offset;
      frame.total = found->second.size();
      frame.bytes.assign(piece.begin(), piece.end());
      offset += piece.size();
      response.messages.push_back(encode(frame));
    }
    return response;
  }
  const auto found = downloads_.find(id);
  if (message->kind != Kind::kFrame || found == downloads_.end()) return {};
  Download& download = found->second;
  if (message->total > blob_bytes_max_)
    return {{}, {}, {}, "blob " + id.brief() + " has " + std::to_string(message->total) + " bytes"};
  if (message->offset != download.bytes.size()) return {};  // repeated, or after a lost one
  download.total = message->total;
  download.bytes.insert(download.bytes.end(), message->bytes.begin(), message->bytes.end());
  if (download.bytes.size() >= *download.total) {
    Bytes blob = std::move(download.bytes);
    downloads_.erase(found);
    const auto actual = verify_(blob);
    if (!actual || *actual != id)
      return {{}, {}, {}, "blob " + id.brief() + " is not what was sent for it"};
    return {{}, Fetched{id, std::move(blob)}, {}, ""};
  }
  if (download.bytes.size() >= download.asked || message->bytes.empty())
    return {{ask(id, download)}, {}, {}, ""};
  return {};
}

}  // namespace muster::wire
