#include <algorithm>

#include "base/printable.h"
#include "wire/blob_messages.h"
#include "wire/blob_transfer.h"

namespace muster::wire {
namespace {

using Kind = BlobMessage::Kind;

constexpr TimeMs kAgainMs = 1000;          // after the server asked to wait
constexpr std::size_t kReasonBytes = 200;  // of a server's words, for a log

}  // namespace

Bytes BlobClient::ask(const Hash& id, Download& download) {
  BlobMessage get;
  get.kind = Kind::kGet;
  get.id = id;
  get.offset = download.bytes.size();
  get.frames = limits::kTransferCreditFrames;
  download.asked = get.offset + kCreditBytes;
  download.again_at.reset();
  return encode(get);
}

Bytes BlobClient::offer(const Hash& id, const Upload& upload) {
  BlobMessage put;
  put.kind = Kind::kPut;
  put.id = id;
  put.total = upload.blob.size();
  return encode(put);
}

std::vector<Bytes> BlobClient::fetch(const Hash& id, std::uint64_t bytes_max) {
  Download& download = downloads_[id];
  download.bytes_max = bytes_max;
  return {ask(id, download)};
}

std::vector<Bytes> BlobClient::upload(const Hash& id, Bytes blob) {
  uploads_[id] = Upload{std::move(blob), {}};
  return upload_again(id);
}

std::vector<Bytes> BlobClient::upload_again(const Hash& id) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return {};
  found->second.again_at.reset();
  return {offer(id, found->second)};
}

void BlobClient::forget(const Hash& id) {
  uploads_.erase(id);
  downloads_.erase(id);
}

std::vector<Bytes> BlobClient::on_tick(TimeMs now) {
  std::vector<Bytes> messages;
  for (auto& [id, upload] : uploads_) {
    if (!upload.again_at || *upload.again_at > now) continue;
    upload.again_at.reset();
    messages.push_back(offer(id, upload));
  }
  for (auto& [id, download] : downloads_)
    if (download.again_at && *download.again_at <= now) messages.push_back(ask(id, download));
  return messages;
}

std::optional<TimeMs> BlobClient::next_tick() const {
  std::optional<TimeMs> next;
  const auto earlier = [&](const std::optional<TimeMs>& at) {
    if (at) next = std::min(next.value_or(*at), *at);
  };
  for (const auto& [id, upload] : uploads_) earlier(upload.again_at);
  for (const auto& [id, download] : downloads_) earlier(download.again_at);
  return next;
}

std::uint64_t BlobClient::bytes_kept() const {
  std::uint64_t bytes = 0;
  for (const auto& [id, upload] : uploads_) bytes += upload.blob.size();
  for (const auto& [id, download] : downloads_) bytes += download.bytes.size();
  return bytes;
}

BlobClient::Response BlobClient::on_message(ByteSpan bytes, TimeMs now) {
  auto message = read_blob_message(bytes);
  Response response;
  if (!message) {
    response.problem = message.error().message;
    return response;
  }
  const Hash id = message->id;
  switch (message->kind) {
    case Kind::kHave:
      if (uploads_.erase(id) != 0) response.delivered = id;
      return response;
    case Kind::kRefused:
      // Forgotten: the memory of a refused upload is not this node's to keep for ever.
      if (uploads_.erase(id) + downloads_.erase(id) == 0) return response;
      response.failed = id;
      response.problem =
          "blob " + id.brief() + " refused: " + printable(message->reason, kReasonBytes);
      return response;
    case Kind::kWait: {
      const auto upload = uploads_.find(id);
      const auto download = downloads_.find(id);
      if (upload != uploads_.end()) upload->second.again_at = now + kAgainMs;
      if (download != downloads_.end()) download->second.again_at = now + kAgainMs;
      if (upload != uploads_.end() || download != downloads_.end())
        response.problem =
            "blob " + id.brief() + " has to wait: " + printable(message->reason, kReasonBytes);
      return response;
    }
    case Kind::kWant:
      return send_stretch(id, message->offset, message->frames);
    case Kind::kFrame:
      return take_frame(id, message->offset, message->total, message->bytes);
    default:
      response.problem = "a message that only a client sends";
      return response;
  }
}

BlobClient::Response BlobClient::send_stretch(const Hash& id, std::uint64_t offset,
                                              std::uint32_t frames) {
  Response response;
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return response;
  const ByteSpan blob(found->second.blob);
  for (std::uint32_t i = 0; i < frames && offset < blob.size(); ++i) {
    const ByteSpan rest = blob.subspan(offset);
    const ByteSpan piece = rest.first(std::min(rest.size(), limits::kFrameBytesMax));
    BlobMessage frame;
    frame.kind = Kind::kFrame;
    frame.id = id;
    frame.offset = offset;
    frame.total = blob.size();
    frame.bytes.assign(piece.begin(), piece.end());
    offset += piece.size();
    response.messages.push_back(encode(frame));
  }
  return response;
}

BlobClient::Response BlobClient::give_up_download(const Hash& id, const std::string& why) {
  downloads_.erase(id);
  Response response;
  response.failed = id;
  response.problem = "blob " + id.brief() + " " + why;
  return response;
}

BlobClient::Response BlobClient::take_frame(const Hash& id, std::uint64_t offset,
                                            std::uint64_t total, ByteSpan bytes) {
  const auto found = downloads_.find(id);
  if (found == downloads_.end()) return {};
  Download& download = found->second;
  if (total > download.bytes_max) {
    return give_up_download(id, "has " + std::to_string(total) + " bytes, at most " +
                                    std::to_string(download.bytes_max) + " can be right");
  }
  if (download.total.value_or(total) != total)
    return give_up_download(id, "changed its size while it came");
  if (offset != download.bytes.size()) return {};  // repeated, or after a lost one
  if (bytes.size() > total - offset) return give_up_download(id, "is longer than was said");
  if (offset + bytes.size() > download.asked) return {};
  if (bytes.empty() && offset < total)
    return give_up_download(id, "came with an empty frame in its middle");
  download.total = total;
  download.bytes.insert(download.bytes.end(), bytes.begin(), bytes.end());
  Response response;
  if (download.bytes.size() == total) {
    Bytes blob = std::move(download.bytes);
    const auto actual = verify_(blob);
    if (!actual || *actual != id) return give_up_download(id, "is not what was sent for it");
    downloads_.erase(found);
    response.fetched = Fetched{id, std::move(blob)};
  } else if (download.bytes.size() >= download.asked) {
    response.messages.push_back(ask(id, download));
  }
  return response;
}

}  // namespace muster::wire
