// Blob transfer: content-addressed blobs in frames, with credit, resume and a hash check at the end.
//
// Pure cores: messages in, messages out. A download asks for a stretch of frames at a time (its credit),
// so neither side queues more than kTransferCreditFrames frames; an upload is told what is wanted next, so
// it resumes where an earlier one broke off. docs/wire.md has the byte forms.
// Thread safety: none; one owner.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/sign.h"
#include "wire/blob_store.h"

namespace muster::wire {

struct Outgoing {
  PublicKey to;
  Bytes message;
};

// The serving side: downloads from the store, uploads into it.
class BlobServer {
 public:
  struct Limits {
    std::uint64_t upload_bytes_max = 0;       // per blob
    std::size_t uploads_per_peer_max = 2;     // unfinished at a time
  };
  struct Uploaded {
    PublicKey from;
    Hash id;
  };
  struct Response {
    std::vector<Outgoing> messages;
    std::optional<Uploaded> uploaded;
    std::string refused;  // why the message was not served; empty when it was
  };

  BlobServer(BlobStore& store, const Limits& limits) : store_(store), limits_(limits) {}
  [[nodiscard]] Response on_message(const PublicKey& from, ByteSpan message);

 private:
  struct Upload {
    Hash id;
    std::uint64_t total = 0;
    std::uint64_t promised = 0;  // bytes that the peer has credit for
  };
  Response serve_get(const PublicKey& from, const Hash& id, std::uint64_t offset,
                     std::uint32_t frames);
  Response begin_upload(const PublicKey& from, const Hash& id, std::uint64_t total);
  Response take_frame(const PublicKey& from, const Hash& id, std::uint64_t offset, ByteSpan bytes);
  Response finish_upload(const PublicKey& from, const Hash& id);
  Outgoing want(const PublicKey& from, Upload& upload);
  Outgoing refuse(const PublicKey& from, const Hash& id, const std::string& why);

  BlobStore& store_;
  Limits limits_;
  std::map<PublicKey, std::map<Hash, Upload>> uploads_;
};

// The connecting side: what this node fetches and uploads.
class BlobClient {
 public:
  using Verify = std::function<Result<Hash>(ByteSpan)>;  // the id of a whole blob's bytes
  struct Fetched {
    Hash id;
    Bytes blob;
  };
  struct Response {
    std::vector<Bytes> messages;
    std::optional<Fetched> fetched;
    std::optional<Hash> delivered;  // an upload that the server has, durably
    std::string problem;            // what the server did wrong or could not do
  };

  BlobClient(Verify verify, std::uint64_t blob_bytes_max)
      : verify_(std::move(verify)), blob_bytes_max_(blob_bytes_max) {}

  // Asks, or asks again from where the download stands.
  [[nodiscard]] std::vector<Bytes> fetch(const Hash& id);
  // Offers a blob, or offers it again. It is kept until delivered or forgotten.
  [[nodiscard]] std::vector<Bytes> upload(const Hash& id, Bytes blob);
  [[nodiscard]] std::vector<Bytes> upload_again(const Hash& id);
  void forget(const Hash& id);
  [[nodiscard]] Response on_message(ByteSpan message);

 private:
  struct Download {
    Bytes bytes;
    std::optional<std::uint64_t> total;
    std::uint64_t asked = 0;  // bytes that have been asked for
  };
  Bytes ask(const Hash& id, Download& download);
  Verify verify_;
  std::uint64_t blob_bytes_max_;
  std::map<Hash, Download> downloads_;
  std::map<Hash, Bytes> uploads_;
};

}  // namespace muster::wire
