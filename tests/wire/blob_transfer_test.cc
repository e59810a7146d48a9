#include "wire/blob_transfer.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/prng.h"
#include "tests/wire/memory_blob_store.h"
#include "wire/blob_messages.h"

namespace muster::wire {
namespace {

using Kind = BlobMessage::Kind;

Bytes random_blob(std::size_t size, std::uint64_t seed) {
  Prng random(seed);
  Bytes blob(size);
  for (auto& byte : blob) byte = static_cast<std::uint8_t>(random.next_u32());
  return blob;
}

Bytes message_of(Kind kind, const Hash& id, std::uint64_t offset, std::uint64_t total,
                 std::uint32_t frames = 0, Bytes bytes = {}) {
  BlobMessage message;
  message.kind = kind;
  message.id = id;
  message.offset = offset;
  message.total = total;
  message.frames = frames;
  message.bytes = std::move(bytes);
  return encode(message);
}
Bytes put_of(const Hash& id, std::uint64_t total) { return message_of(Kind::kPut, id, 0, total); }
Bytes get_of(const Hash& id, std::uint32_t frames = 16, std::uint64_t offset = 0) {
  return message_of(Kind::kGet, id, offset, 0, frames);
}
Bytes frame_of(const Hash& id, std::uint64_t offset, Bytes bytes) {
  return message_of(Kind::kFrame, id, offset, 0, 0, std::move(bytes));
}

// A server with two stores, and any number of clients whose messages are carried by hand.
class BlobTransferTest : public ::testing::Test {
 protected:
  struct Peer {
    PublicKey key = SigningKey(random_seed()).public_key();
    BlobClient client{[](ByteSpan bytes) -> Result<Hash> { return sha256(bytes); }};
    std::vector<BlobClient::Fetched> fetched;
    std::vector<Hash> delivered, failed;
    std::string problem;
    std::size_t received = 0;  // messages
  };
  static constexpr std::uint64_t kMax = 20u << 20;

  void restart(const BlobServer::Limits& limits = {}) {
    server_.emplace(served_, uploads_, limits);
  }

  // What the server says of one message; its answers are delivered.
  BlobServer::Response give(Peer& from, const Bytes& message) {
    return deliver(server_->on_message(from.key, message, now_));
  }
  BlobServer::Response permit(Peer& to, const Hash& id, std::uint64_t bytes) {
    return deliver(server_->permit(to.key, id, bytes));
  }
  BlobServer::Response deliver(BlobServer::Response response) {
    if (response.uploaded) uploaded_.push_back(*response.uploaded);
    if (!response.no_room.empty()) no_room_.push_back(response.no_room);
    for (const Outgoing& message : response.messages) outbox_.push_back(message);
    return response;
  }
  // Carries messages until nobody has anything to say, or `limit` were carried.
  void pump(Peer& peer, std::vector<Bytes> to_server, std::size_t limit = SIZE_MAX) {
    std::deque<Bytes> inbox(to_server.begin(), to_server.end());
    for (std::size_t carried = 0; carried < limit; ++carried) {
      most_in_flight_ = std::max({most_in_flight_, inbox.size(), outbox_.size()});
      if (!outbox_.empty()) {
        const Outgoing out = std::move(outbox_.front());
        outbox_.pop_front();
        if (out.to != peer.key) continue;
        for (Bytes& next : receive(peer, out.message)) inbox.push_back(std::move(next));
      } else if (!inbox.empty()) {
        const Bytes message = std::move(inbox.front());
        inbox.pop_front();
        give(peer, message);
      } else if (auto frame = server_->next_frame(now_)) {
        server_->sent(now_);
        outbox_.push_back(std::move(*frame));
      } else {
        return;
      }
    }
  }
  std::vector<Bytes> receive(Peer& peer, ByteSpan message) {
    auto response = peer.client.on_message(message, now_);
    ++peer.received;
    if (response.fetched) peer.fetched.push_back(std::move(*response.fetched));
    if (response.delivered) peer.delivered.push_back(*response.delivered);
    if (response.failed) peer.failed.push_back(*response.failed);
    if (!response.problem.empty()) peer.problem = response.problem;
    return std::move(response.messages);
  }

  MemoryBlobStore served_, uploads_;
  std::optional<BlobServer> server_{std::in_place, served_, uploads_, BlobServer::Limits{}};
  Peer peer_, other_;
  TimeMs now_ = 1'000'000;
  std::deque<Outgoing> outbox_;
  std::vector<BlobServer::Uploaded> uploaded_;
  std::vector<std::string> no_room_;
  std::size_t most_in_flight_ = 0;
};

// ---- downloads

TEST_F(BlobTransferTest, FetchesBlobsOfEverySizeFromBothStores) {
  std::size_t count = 0;
  for (std::size_t size : {std::size_t{1}, limits::kFrameBytesMax, limits::kFrameBytesMax + 1,
                           std::size_t{10} << 20}) {
    for (MemoryBlobStore* store : {&served_, &uploads_}) {
      const Bytes blob = random_blob(size, ++count);
      ASSERT_TRUE(store->put(sha256(blob), blob));
      pump(peer_, peer_.client.fetch(sha256(blob), kMax));
      ASSERT_EQ(peer_.fetched.size(), count) << size;
      EXPECT_EQ(peer_.fetched.back().blob, blob);
    }
  }
  EXPECT_LE(most_in_flight_, limits::kTransferCreditFrames);
  EXPECT_EQ(peer_.client.bytes_kept(), 0u);
}

TEST_F(BlobTransferTest, ResumesADownloadWhereItBrokeOff) {
  const Bytes blob = random_blob(8u << 20, 3);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  pump(peer_, peer_.client.fetch(sha256(blob), kMax), 30);
  const std::uint64_t before = peer_.client.bytes_kept();
  ASSERT_GT(before, 0u);
  restart();
  outbox_.clear();
  peer_.received = 0;
  pump(peer_, peer_.client.fetch(sha256(blob), kMax));
  ASSERT_EQ(peer_.fetched.size(), 1u);
  EXPECT_EQ(peer_.fetched[0].blob, blob);
  EXPECT_LE(peer_.received * limits::kFrameBytesMax, blob.size() - before + limits::kFrameBytesMax);
}

TEST_F(BlobTransferTest, SaysWhenABlobIsNotHere) {
  const Hash nowhere = sha256(bytes_of("nowhere"));
  pump(peer_, peer_.client.fetch(nowhere, kMax));
  EXPECT_NE(peer_.problem.find("not here"), std::string::npos);
  EXPECT_EQ(peer_.failed, std::vector<Hash>{nowhere});
}

TEST_F(BlobTransferTest, ReadersHaveTheirTurnsHoweverMuchOneAsksFor) {
  BlobServer::Limits limits;
  limits.frames_per_turn = 4;
  restart(limits);
  std::vector<Bytes> blobs;
  for (std::uint64_t i = 0; i < 4; ++i) {
    blobs.push_back(random_blob(4u << 20, 10 + i));
    ASSERT_TRUE(served_.put(sha256(blobs[i]), blobs[i]));
    (void)server_->on_message(peer_.key, get_of(sha256(blobs[i])), now_);
  }
  (void)server_->on_message(other_.key, get_of(sha256(blobs[0])), now_);
  std::vector<PublicKey> order;
  while (const auto frame = server_->next_frame(now_)) {
    server_->sent(now_);
    order.push_back(frame->to);
  }
  ASSERT_EQ(order.size(), 5u * 16u);
  const auto last = std::find(order.rbegin(), order.rend(), other_.key);
  EXPECT_LE(order.rend() - last, 2 * 16) << "half of the turns are the other's while it wants any";
  EXPECT_EQ(std::count(order.begin(), order.begin() + 8, other_.key), 4);
}

TEST_F(BlobTransferTest, AReaderThatAsksTooOftenWaitsAlone) {
  BlobServer::Limits limits;
  limits.gets = {10, 10};
  restart(limits);
  const Bytes blob = random_blob(1000, 1);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  std::size_t frames = 0;
  for (int i = 0; i < 3'000; ++i) {
    (void)server_->on_message(peer_.key, get_of(sha256(blob)), now_);
    while (server_->next_frame(now_)) server_->sent(now_), ++frames;
  }
  EXPECT_EQ(frames, 10u);
  (void)server_->on_message(other_.key, get_of(sha256(blob)), now_);
  ASSERT_TRUE(server_->next_frame(now_).has_value());
  server_->sent(now_);
  ASSERT_TRUE(server_->next_due().has_value());
  EXPECT_GT(*server_->next_due(), now_);
  EXPECT_FALSE(server_->next_frame(*server_->next_due() - 1).has_value());
  EXPECT_TRUE(server_->next_frame(*server_->next_due()).has_value())
      << "it waited and lost nothing";
}

TEST_F(BlobTransferTest, BytesToOneReaderAreBoundedInTime) {
  BlobServer::Limits limits;
  limits.served_bytes = {double{1 << 20}, double{1 << 20}};
  restart(limits);
  const Bytes blob = random_blob(4u << 20, 1);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  (void)server_->on_message(peer_.key, get_of(sha256(blob)), now_);
  std::size_t frames = 0;
  for (const TimeMs end = now_ + 2'000; now_ <= end; now_ += 10)
    while (server_->next_frame(now_)) server_->sent(now_), ++frames;
  EXPECT_GE(frames, 12u);
  EXPECT_LE(frames, 13u) << "a burst of 1 MiB and 2 MiB in two seconds, in frames of a quarter";
}

TEST_F(BlobTransferTest, WhatOneReaderWantsIsBounded) {
  BlobServer::Limits limits;
  limits.stretches_max = 2;
  restart(limits);
  std::vector<Hash> ids;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const Bytes blob = random_blob(100, i);
    ids.push_back(sha256(blob));
    ASSERT_TRUE(served_.put(ids.back(), blob));
    (void)server_->on_message(peer_.key, get_of(ids.back()), now_);
    (void)server_->on_message(peer_.key, get_of(ids.back()), now_);
  }
  std::size_t frames = 0;
  while (server_->next_frame(now_)) server_->sent(now_), ++frames;
  EXPECT_EQ(frames, 2u);
}

TEST_F(BlobTransferTest, AFrameForAFullQueueIsKeptAndGoesOutLater) {
  const Bytes blob = random_blob(600'000, 1);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  (void)server_->on_message(peer_.key, get_of(sha256(blob)), now_);
  (void)server_->on_message(other_.key, get_of(sha256(blob)), now_);
  const auto frame = server_->next_frame(now_);
  ASSERT_TRUE(frame && frame->to == peer_.key);
  server_->not_sent(/*gone=*/false, now_);
  std::size_t others = 0;
  while (const auto next = server_->next_frame(now_)) {
    EXPECT_EQ(next->to, other_.key);
    server_->sent(now_), ++others;
  }
  EXPECT_EQ(others, 3u);
  const auto again = server_->next_frame(*server_->next_due());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->message, frame->message);
  server_->not_sent(/*gone=*/true, now_);
  EXPECT_FALSE(server_->next_due().has_value()) << "who has gone asks again";
}

TEST_F(BlobTransferTest, ABlobThatCannotBeReadNowIsAskedForAgain) {
  const Bytes blob = random_blob(1000, 1);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  served_.can_read = false;
  pump(peer_, peer_.client.fetch(sha256(blob), kMax));
  EXPECT_NE(peer_.problem.find("has to wait"), std::string::npos);
  EXPECT_TRUE(peer_.failed.empty());
  served_.can_read = true;
  ASSERT_TRUE(peer_.client.next_tick().has_value());
  EXPECT_TRUE(peer_.client.on_tick(now_).empty());
  now_ = *peer_.client.next_tick();
  pump(peer_, peer_.client.on_tick(now_));
  ASSERT_EQ(peer_.fetched.size(), 1u);
  EXPECT_FALSE(peer_.client.next_tick().has_value());
}

// ---- what a server may say

TEST_F(BlobTransferTest, DetectsADownloadWithOtherContent) {
  served_.blobs[sha256(bytes_of("promised"))] = random_blob(1000, 6);
  pump(peer_, peer_.client.fetch(sha256(bytes_of("promised")), kMax));
  EXPECT_TRUE(peer_.fetched.empty());
  EXPECT_NE(peer_.problem.find("not what was sent for it"), std::string::npos);
  EXPECT_EQ(peer_.failed.size(), 1u);
}

TEST_F(BlobTransferTest, AServerThatLiesAboutASizeIsNotBelieved) {
  const Hash id = sha256(bytes_of("x"));
  const auto frame = [&](std::uint64_t offset, std::uint64_t total, std::size_t size) {
    return message_of(Kind::kFrame, id, offset, total, 0, Bytes(size, 1));
  };
  const auto problem = [&](std::vector<Bytes> frames) {
    Peer peer;
    (void)peer.client.fetch(id, 10'000);
    for (const Bytes& message : frames) (void)receive(peer, message);
    EXPECT_EQ(peer.client.bytes_kept(), 0u);
    EXPECT_EQ(peer.failed.size(), 1u);
    return peer.problem;
  };
  EXPECT_NE(problem({frame(0, 10'001, 100)}).find("at most 10000"), std::string::npos);
  EXPECT_NE(problem({frame(0, 1ull << 60, 100)}).find("at most 10000"), std::string::npos);
  EXPECT_NE(problem({frame(0, 5'000, 100), frame(100, 6'000, 100)}).find("changed its size"),
            std::string::npos);
  EXPECT_NE(problem({frame(0, 100, 101)}).find("longer than was said"), std::string::npos);
  EXPECT_NE(problem({frame(0, 5'000, 100), frame(100, 5'000, 0)}).find("empty frame"),
            std::string::npos);
}

TEST_F(BlobTransferTest, FramesThatWereNotAskedForAreNotKept) {
  const Hash id = sha256(bytes_of("x"));
  const Bytes piece(limits::kFrameBytesMax, 1);
  EXPECT_TRUE(receive(peer_, message_of(Kind::kFrame, id, 0, 1 << 20, 0, piece)).empty());
  EXPECT_EQ(peer_.client.bytes_kept(), 0u);
  (void)peer_.client.fetch(id, 1ull << 40);
  std::size_t asked = 0;
  for (std::uint64_t i = 0; i < 40; ++i)
    asked +=
        receive(peer_, message_of(Kind::kFrame, id, i * piece.size(), 1ull << 40, 0, piece)).size();
  EXPECT_EQ(asked, 2u) << "one question per stretch";
  EXPECT_EQ(peer_.client.bytes_kept(), 40 * piece.size());
}

TEST_F(BlobTransferTest, AServersWordsAreShownAsPlainText) {
  (void)peer_.client.fetch(sha256(bytes_of("x")), 10);
  BlobMessage refused;
  refused.kind = Kind::kRefused;
  refused.id = sha256(bytes_of("x"));
  refused.reason = "\x1b[2Jno\xff";
  (void)receive(peer_, encode(refused));
  EXPECT_EQ(peer_.problem.find('\x1b'), std::string::npos) << peer_.problem;
  EXPECT_EQ(peer_.problem.find('\xff'), std::string::npos);
  EXPECT_NE(peer_.problem.find("[2Jno"), std::string::npos);
}

// ---- uploads

TEST_F(BlobTransferTest, UploadsWithNoMoreInFlightThanTheCredit) {
  const Bytes blob = random_blob(10u << 20, 1);
  permit(peer_, sha256(blob), blob.size());
  pump(peer_, peer_.client.upload(sha256(blob), blob));
  EXPECT_EQ(peer_.delivered, std::vector<Hash>{sha256(blob)});
  EXPECT_EQ(uploads_.blobs.at(sha256(blob)), blob);
  EXPECT_TRUE(served_.blobs.empty());
  EXPECT_LE(most_in_flight_, limits::kTransferCreditFrames);
  EXPECT_EQ(peer_.client.bytes_kept(), 0u);
}

TEST_F(BlobTransferTest, ResumesAnUploadWhereItBrokeOff) {
  const Bytes blob = random_blob(8u << 20, 2);
  const Hash id = sha256(blob);
  permit(peer_, id, blob.size());
  pump(peer_, peer_.client.upload(id, blob), 20);
  const std::uint64_t before = uploads_.partial_size(peer_.key, id);
  ASSERT_GT(before, 0u);
  restart();
  outbox_.clear();
  permit(peer_, id, blob.size());
  const auto want = give(peer_, peer_.client.upload_again(id)[0]).messages;
  ASSERT_EQ(want.size(), 1u);
  EXPECT_EQ(read_blob_message(want[0].message).value().offset, before);
  pump(peer_, {});
  EXPECT_EQ(peer_.delivered, std::vector<Hash>{id});
}

TEST_F(BlobTransferTest, AnOfferWaitsForItsPermitWithoutARoundTrip) {
  const Bytes blob = random_blob(1000, 3);
  pump(peer_, peer_.client.upload(sha256(blob), blob));
  EXPECT_EQ(peer_.received, 0u);
  EXPECT_TRUE(uploads_.partials.empty()) << "not a byte of it was taken";
  permit(peer_, sha256(blob), blob.size());
  pump(peer_, {});
  EXPECT_EQ(peer_.delivered, std::vector<Hash>{sha256(blob)});
}

TEST_F(BlobTransferTest, OnlyTheNewestOfferOfAPeerWaits) {
  const Bytes old_blob = random_blob(1000, 4), new_blob = random_blob(1000, 5);
  for (int i = 0; i < 1'000; ++i)
    give(peer_, put_of(sha256(random_blob(8, static_cast<std::uint64_t>(i))), 8));
  give(peer_, put_of(sha256(old_blob), 1000));
  give(other_, put_of(sha256(old_blob), 1000));
  give(peer_, put_of(sha256(new_blob), 1000));
  EXPECT_TRUE(permit(peer_, sha256(old_blob), 1000).messages.empty())
      << "forgotten, to be offered again";
  EXPECT_EQ(permit(peer_, sha256(new_blob), 1000).messages.size(), 1u);
  EXPECT_EQ(permit(other_, sha256(old_blob), 1000).messages.size(), 1u) << "another peer's offer";
}

TEST_F(BlobTransferTest, TakesExactlyTheBytesThatArePermitted) {
  const Bytes blob = random_blob(1000, 6);
  for (const std::uint64_t permitted : {999u, 1001u}) {
    Peer peer;
    permit(peer, sha256(blob), permitted);
    pump(peer, peer.client.upload(sha256(blob), blob));
    EXPECT_NE(peer.problem.find(std::to_string(permitted) + " are allowed"), std::string::npos);
    EXPECT_EQ(peer.failed.size(), 1u);
    EXPECT_EQ(peer.client.bytes_kept(), 0u) << "a refused upload is not kept";
  }
  EXPECT_TRUE(uploads_.partials.empty());
}

TEST_F(BlobTransferTest, FramesBeyondThePermitAreRefused) {
  const Hash id = sha256(bytes_of("x"));
  permit(peer_, id, 1000);
  give(peer_, put_of(id, 1000));
  EXPECT_FALSE(give(peer_, frame_of(id, 0, Bytes(1001))).refused.empty());
  EXPECT_EQ(uploads_.partial_size(peer_.key, id), 0u);
  give(peer_, frame_of(id, 0, Bytes(600)));
  EXPECT_FALSE(give(peer_, frame_of(id, 600, Bytes(401))).refused.empty());
  EXPECT_FALSE(give(peer_, frame_of(id, 600, Bytes())).refused.empty());
  EXPECT_EQ(uploads_.partial_size(peer_.key, id), 600u);
}

TEST_F(BlobTransferTest, WithoutAPermitNothingIsTaken) {
  for (std::uint64_t i = 0; i < 600; ++i) {
    const Bytes blob = random_blob(1000, 100 + i);
    pump(peer_, peer_.client.upload(sha256(blob), blob));
    give(peer_, frame_of(sha256(blob), 0, blob));
    peer_.client.forget(sha256(blob));
  }
  EXPECT_TRUE(uploads_.blobs.empty());
  EXPECT_TRUE(uploads_.partials.empty());
  EXPECT_TRUE(uploaded_.empty());
  EXPECT_EQ(peer_.client.bytes_kept(), 0u) << "what was forgotten is released";
}

TEST_F(BlobTransferTest, NobodyAddsToAnothersUpload) {
  const Bytes blob = random_blob(1000, 7);
  const Hash id = sha256(blob);
  permit(peer_, id, 1000);
  permit(other_, id, 1000);
  give(peer_, put_of(id, 1000));
  give(other_, put_of(id, 1000));
  give(peer_, frame_of(id, 0, Bytes(blob.begin(), blob.begin() + 500)));
  give(other_, frame_of(id, 0, Bytes(700, 9)));
  give(other_, frame_of(id, 500, Bytes(500, 9)));
  give(peer_, frame_of(id, 500, Bytes(blob.begin() + 500, blob.end())));
  ASSERT_EQ(uploaded_.size(), 1u);
  EXPECT_EQ(uploaded_[0].from, peer_.key);
  EXPECT_EQ(uploads_.partial_size(other_.key, id), 700u);
}

TEST_F(BlobTransferTest, AnUploadIsReportedOnceForItsPermit) {
  const Bytes blob = random_blob(1000, 8);
  const Hash id = sha256(blob);
  permit(peer_, id, 1000);
  pump(peer_, peer_.client.upload(id, blob));
  ASSERT_EQ(uploaded_.size(), 1u);
  for (int i = 0; i < 100; ++i) {
    const auto response = give(peer_, put_of(id, 1000));
    ASSERT_EQ(response.messages.size(), 1u);
    EXPECT_EQ(read_blob_message(response.messages[0].message).value().kind, Kind::kHave);
    give(other_, put_of(id, 1000));
    permit(peer_, id, 1000);
  }
  EXPECT_EQ(uploaded_.size(), 1u);
}

// A server that started over has the blob, but not the permit any more.
TEST_F(BlobTransferTest, ABlobThatIsThereAlreadyCountsWithItsPermit) {
  const Bytes blob = random_blob(1000, 9);
  const Hash id = sha256(blob);
  ASSERT_TRUE(uploads_.put(id, blob));
  give(peer_, put_of(id, 1000));
  EXPECT_TRUE(uploaded_.empty());
  permit(peer_, id, 1000);
  ASSERT_EQ(uploaded_.size(), 1u);
  EXPECT_EQ(uploaded_[0].from, peer_.key);
  permit(other_, id, 999);
  EXPECT_EQ(uploaded_.size(), 1u) << "it has another size";
}

TEST_F(BlobTransferTest, ABlobOfTheServedStoreIsNobodysUpload) {
  const Bytes checkpoint = random_blob(1000, 10);
  ASSERT_TRUE(served_.put(sha256(checkpoint), checkpoint));
  permit(peer_, sha256(checkpoint), 1000);
  give(peer_, put_of(sha256(checkpoint), 1000));
  EXPECT_TRUE(uploaded_.empty()) << "its bytes have to come, as everybody's";
}

TEST_F(BlobTransferTest, ARoundsEndDropsWhatIsUnfinishedAndSaysSo) {
  const Bytes blob = random_blob(8u << 20, 11), finished = random_blob(1000, 12);
  permit(other_, sha256(finished), 1000);
  pump(other_, other_.client.upload(sha256(finished), finished));
  permit(peer_, sha256(blob), blob.size());
  pump(peer_, peer_.client.upload(sha256(blob), blob), 20);
  ASSERT_FALSE(uploads_.partials.empty());
  outbox_.clear();
  deliver(server_->end_round());
  pump(peer_, {});
  EXPECT_TRUE(uploads_.partials.empty());
  EXPECT_NE(peer_.problem.find("the round has ended"), std::string::npos);
  EXPECT_EQ(peer_.client.bytes_kept(), 0u);
  EXPECT_FALSE(give(peer_, frame_of(sha256(blob), 0, Bytes(10))).refused.empty());
  EXPECT_TRUE(uploads_.blobs.contains(sha256(finished)))
      << "whole blobs are the coordinator's to drop";
}

TEST_F(BlobTransferTest, RefusesAnUploadThatIsNotWhatItsIdSays) {
  const Hash id = sha256(bytes_of("something else"));
  permit(peer_, id, 1000);
  pump(peer_, peer_.client.upload(id, random_blob(1000, 13)));
  EXPECT_TRUE(uploads_.blobs.empty());
  EXPECT_TRUE(peer_.delivered.empty());
  EXPECT_EQ(peer_.failed.size(), 1u);
  EXPECT_NE(peer_.problem.find("refused"), std::string::npos);
  EXPECT_EQ(uploads_.partial_size(peer_.key, id), 0u);
}

TEST_F(BlobTransferTest, AFullDiskMakesAnUploadWaitAndGoOn) {
  const Bytes blob = random_blob(4u << 20, 14);
  const Hash id = sha256(blob);
  uploads_.room = 2u << 20;
  permit(peer_, id, blob.size());
  pump(peer_, peer_.client.upload(id, blob));
  EXPECT_TRUE(peer_.failed.empty());
  EXPECT_NE(peer_.problem.find("no room"), std::string::npos);
  ASSERT_EQ(no_room_.size(), 1u);
  EXPECT_NE(no_room_[0].find("the disk is full"), std::string::npos);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(peer_.client.next_tick().has_value());
    now_ = *peer_.client.next_tick();
    pump(peer_, peer_.client.on_tick(now_));
  }
  EXPECT_EQ(no_room_.size(), 1u) << "said once";
  EXPECT_EQ(uploads_.partial_size(peer_.key, id), 2u << 20) << "nothing of it is lost";
  uploads_.room = UINT64_MAX;
  now_ = *peer_.client.next_tick();
  pump(peer_, peer_.client.on_tick(now_));
  EXPECT_EQ(peer_.delivered, std::vector<Hash>{id});
}

TEST_F(BlobTransferTest, AnUploadThatCannotBeFinishedNowIsFinishedLater) {
  const Bytes blob = random_blob(1000, 15);
  const Hash id = sha256(blob);
  uploads_.can_finish = false;
  permit(peer_, id, blob.size());
  pump(peer_, peer_.client.upload(id, blob));
  EXPECT_EQ(no_room_.size(), 1u);
  EXPECT_EQ(uploads_.partial_size(peer_.key, id), 1000u);
  uploads_.can_finish = true;
  now_ = *peer_.client.next_tick();
  pump(peer_, peer_.client.on_tick(now_));
  EXPECT_EQ(peer_.delivered, std::vector<Hash>{id});
  EXPECT_EQ(uploaded_.size(), 1u);
}

TEST_F(BlobTransferTest, SurvivesRandomMessages) {
  Prng random(77);
  const Bytes blob = random_blob(1000, 7);
  ASSERT_TRUE(served_.put(sha256(blob), blob));
  const std::vector<Bytes> seeds{peer_.client.fetch(sha256(blob), kMax)[0],
                                 put_of(sha256(blob), 1000), frame_of(sha256(blob), 0, Bytes(100)),
                                 blob_answer(Kind::kHave, sha256(blob)),
                                 blob_answer(Kind::kWait, sha256(blob), "later")};
  for (int trial = 0; trial < 20'000; ++trial) {
    Bytes message = seeds[random.below(seeds.size())];
    message[random.below(message.size())] = static_cast<std::uint8_t>(random.next_u32());
    if (random.chance(0.2)) message.resize(random.below(message.size()));
    if (random.chance(0.1)) (void)server_->permit(peer_.key, sha256(blob), 1 + random.below(2'000));
    if (random.chance(0.01)) (void)server_->end_round();
    EXPECT_LE(server_->on_message(peer_.key, message, now_).messages.size(), 2u);
    if (server_->next_frame(now_))
      random.chance(0.5) ? server_->sent(now_) : server_->not_sent(random.chance(0.5), now_);
    (void)peer_.client.on_message(message, now_);
    (void)peer_.client.on_tick(now_ += 5);
  }
  EXPECT_LE(peer_.client.bytes_kept(), kMax);
}

}  // namespace
}  // namespace muster::wire
