#include "store/bundle.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "compression/segmented_blob.h"
#include "store/archive.h"
#include "store/bundle_export.h"
#include "tests/temporary_directory.h"

namespace muster::store {
namespace {

Bytes small_bundle() {
  Bytes bytes;
  BundleWriter writer([&](ByteSpan piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return Status();
  });
  const Bytes blob = compression::write_blob({{1, 2}, {{3, 4, 5}}});
  EXPECT_TRUE(writer.begin(false));
  EXPECT_TRUE(writer.add(BundleEntryKind::kParams, bytes_of("params")));
  EXPECT_TRUE(writer.add(BundleEntryKind::kMessage, bytes_of("first")));
  EXPECT_TRUE(writer.add_blob(compression::blob_id(blob).value(), blob));
  EXPECT_TRUE(writer.add(BundleEntryKind::kMessage, bytes_of("second")));
  EXPECT_TRUE(writer.end(3));
  return bytes;
}

// How many entries could be read, and what then went wrong.
struct Read {
  std::vector<BundleEntry> entries;
  std::optional<Error> error;
};
Read read_all(ByteSpan bytes) {
  Read read;
  auto reader = BundleReader::open(bytes);
  if (!reader) return {{}, reader.error()};
  while (true) {
    auto entry = reader->next();
    if (!entry) return {read.entries, entry.error()};
    if (!*entry) return read;
    read.entries.push_back(**entry);
  }
}

TEST(Bundle, ReadsBackWhatWasWritten) {
  const Bytes bytes = small_bundle();
  const Read read = read_all(bytes);
  ASSERT_FALSE(read.error) << read.error->message;
  ASSERT_EQ(read.entries.size(), 4u);
  EXPECT_EQ(read.entries[0].kind, BundleEntryKind::kParams);
  EXPECT_EQ(std::string(read.entries[1].content.begin(), read.entries[1].content.end()), "first");
  EXPECT_EQ(compression::blob_id(read.entries[2].content).value(), read.entries[2].id);
  EXPECT_EQ(BundleReader::open(bytes)->rounds_claimed(), 3u);
}

TEST(Bundle, CutOffAnywhereIsTruncated) {
  const Bytes bytes = small_bundle();
  for (std::size_t length = 13; length < bytes.size(); ++length) {
    const Read read = read_all(ByteSpan(bytes).first(length));
    ASSERT_TRUE(read.error) << length;
    EXPECT_EQ(read.error->code, Errc::kTruncated) << length << ": " << read.error->message;
    EXPECT_NE(read.error->message.find("cut off"), std::string::npos);
  }
}

TEST(Bundle, AnyOtherByteIsNoticed) {
  const Bytes honest = small_bundle();
  // A blob's bytes are not in the chain, but have to have its id.
  const Read whole = read_all(honest);
  const auto blob = whole.entries[2].content;
  for (std::size_t i = 0; i < honest.size(); ++i) {
    Bytes bytes = honest;
    bytes[i] ^= 1;
    const Read read = read_all(bytes);
    const bool in_blob = &honest[i] >= blob.data() && &honest[i] < blob.data() + blob.size();
    if (in_blob) {
      const auto id = compression::blob_id(read.entries[2].content);
      EXPECT_TRUE(!id || *id != read.entries[2].id) << i;
    } else {
      EXPECT_TRUE(read.error.has_value()) << i;
    }
  }
}

TEST(Bundle, WhatIsAppendedIsNamed) {
  Bytes bytes = small_bundle();
  bytes.push_back(0);
  const Read read = read_all(bytes);
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->code, Errc::kMalformed);
  EXPECT_NE(read.error->message.find("after its end"), std::string::npos);
}

TEST(Bundle, AnEntryDroppedOrSwappedBreaksTheChain) {
  const Bytes honest = small_bundle();
  const std::size_t header = 13, params = 9 + 6 + 32, first = 9 + 5 + 32;
  Bytes dropped(honest.begin(), honest.begin() + header + params);
  dropped.insert(dropped.end(), honest.begin() + header + params + first, honest.end());
  const Read read = read_all(dropped);
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->code, Errc::kBadHash);
  EXPECT_NE(read.error->message.find("entry 1"), std::string::npos);
}

TEST(Bundle, ALengthOverTheLimitIsRefusedByName) {
  Bytes bytes = small_bundle();
  const std::uint64_t length = std::uint64_t{1} << 40;
  std::memcpy(bytes.data() + 13 + 1, &length, sizeof(length));
  const Read read = read_all(bytes);
  ASSERT_TRUE(read.error);
  EXPECT_EQ(read.error->code, Errc::kTooLarge);
}

TEST(Bundle, OtherFilesAndVersionsAreRefused) {
  EXPECT_EQ(read_all(bytes_of("something else")).error->code, Errc::kMalformed);
  Bytes bytes = small_bundle();
  bytes[8] = 9;
  EXPECT_EQ(read_all(bytes).error->code, Errc::kVersion);
}

// ---- export

class ExportTest : public ::testing::Test {
 protected:
  ExportTest() {
    params_.name = "test";
    params_.coordinator = key_.public_key();
    blob_ = compression::write_blob({{9}, {{1}, {2}}});
    blob_id_ = compression::blob_id(blob_).value();
  }

  template <class Message>
  Bytes sign(const Message& message, std::uint64_t round) {
    return protocol::sign_message({protocol::run_id_of(params_), Round{round}, {}}, message, key_);
  }
  void append(Archive& archive, const Bytes& message) { ASSERT_TRUE(archive.append(message)); }

  // A sealed round, and the beginning of the next one.
  void write_archive() {
    Archive archive = Archive::open(archive_).value();
    append(archive, sign(protocol::RoundOpen{}, 0));
    protocol::CommitsClosed closed;
    closed.commits.push_back(sign(protocol::Commit{.payload_id = blob_id_, .key_hash = {}}, 0));
    closed.commit_root = protocol::commit_root_of(closed.commits);
    append(archive, sign(closed, 0));
    append(archive, sign(protocol::RevealsClosed{}, 0));
    protocol::Manifest manifest;
    manifest.null_round = true;
    append(archive, sign(manifest, 0));
    append(archive, sign(protocol::Attest{}, 1));
    append(archive, sign(protocol::RoundOpen{}, 1));
  }

  Result<Exported> run(const ExportOptions& options = {}) {
    const protocol::BlobReader blobs = [this](const Hash& id) -> Result<Bytes> {
      if (id == blob_id_) return blob_;
      return Error{Errc::kNotFound, "blob"};
    };
    return export_bundle({params_, {}, archive_, blobs}, file_, options);
  }

  muster::testing::TemporaryDirectory directory_;
  std::filesystem::path archive_ = directory_ / "archive.muster", file_ = directory_ / "run.bundle";
  SigningKey key_{Seed{}};
  protocol::ProtocolParams params_;
  Bytes blob_;
  Hash blob_id_;
};

TEST_F(ExportTest, HasWhatASealedRoundNeedsBeforeItIsNeeded) {
  write_archive();
  const Exported exported = run().value();
  EXPECT_EQ(exported.rounds, 1u);
  EXPECT_EQ(exported.messages, 5u)
      << "the round that is still going is left out, the attestations are in";
  EXPECT_EQ(exported.blobs, 1u);
  const Bytes bytes = read_file(file_, 1 << 20).value();
  EXPECT_EQ(exported.bytes, bytes.size());
  const Read read = read_all(bytes);
  ASSERT_FALSE(read.error) << read.error->message;
  ASSERT_EQ(read.entries.size(), 7u);
  EXPECT_EQ(read.entries[0].kind, BundleEntryKind::kParams);
  EXPECT_EQ(read.entries[3].kind, BundleEntryKind::kBlob) << "before RevealsClosed";
  EXPECT_EQ(read.entries[3].id, blob_id_);
}

TEST_F(ExportTest, CanLeavePayloadsOut) {
  write_archive();
  EXPECT_EQ(run({.payloads = false, .progress = {}})->blobs, 0u);
  EXPECT_TRUE(BundleReader::open(read_file(file_, 1 << 20).value())->payloads_left_out());
}

TEST_F(ExportTest, OfARunWithoutASealedRoundIsEmptyButWhole) {
  Archive archive = Archive::open(archive_).value();
  append(archive, sign(protocol::RoundOpen{}, 0));
  EXPECT_EQ(run()->rounds, 0u);
  EXPECT_FALSE(read_all(read_file(file_, 1 << 20).value()).error);
}

TEST_F(ExportTest, IgnoresATornEntryAtTheEndOfTheArchive) {
  write_archive();
  const Bytes whole = read_file(archive_, 1 << 20).value();
  ASSERT_TRUE(replace_file(archive_, ByteSpan(whole).first(whole.size() - 3)));
  EXPECT_EQ(run()->rounds, 1u);
}

TEST_F(ExportTest, ThatIsStoppedLeavesNoFile) {
  write_archive();
  const auto stopped = run({.payloads = true, .progress = [](const ExportProgress&) {
                              return Status(Error{Errc::kCancelled, "stopped"});
                            }});
  EXPECT_EQ(stopped.error().code, Errc::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()) || !std::filesystem::exists(file_));
}

}  // namespace
}  // namespace muster::store
