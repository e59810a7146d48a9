// Bundles as files: written from a simulated run, audited, cut off, changed, added to.
#include "cli/audit_source.h"

#include <fstream>

#include "cli/audit_run.h"
#include "store/archive.h"
#include "store/bundle_export.h"
#include "tests/temporary_directory.h"
#include "tests/verify/audit_fixture.h"

namespace muster::cli {
namespace {

using namespace muster::testing;
namespace fs = std::filesystem;

class AuditSourceTest : public ::testing::Test {
 protected:
  void write_bundle(const sim::RecordedRun& run, bool payloads = true) {
    const fs::path archive = directory_ / "archive.muster";
    fs::remove(archive);
    store::Archive log = store::Archive::open(archive).value();
    for (const Bytes& message : run.messages) ASSERT_TRUE(log.append(message));
    const protocol::BlobReader blobs = [&](const Hash& id) -> Result<Bytes> {
      return run.blobs.at(id);
    };
    const auto exported = store::export_bundle({run.params, run.initial_theta, archive, blobs},
                                               bundle_, {payloads, {}});
    ASSERT_TRUE(exported.has_value()) << exported.error().message;
  }
  Result<AuditedRun> audit_bundle() {
    MUSTER_TRY(const auto source, AuditSource::open(bundle_));
    const std::atomic<bool> never{false};
    return audit_run(*source, {}, never);
  }
  Bytes content() { return read_file(bundle_, 64u << 20).value(); }
  void replace(ByteSpan bytes) { ASSERT_TRUE(replace_file(bundle_, bytes)); }

  muster::testing::TemporaryDirectory directory_;
  fs::path bundle_ = directory_ / "run.bundle";
};

TEST_F(AuditSourceTest, AnHonestBundlePassesWithAndWithoutPayloads) {
  for (const bool payloads : {true, false}) {
    write_bundle(honest_run(), payloads);
    const auto audited = audit_bundle();
    ASSERT_TRUE(audited.has_value()) << audited.error().message;
    EXPECT_TRUE(audited->report.ok()) << text_of(audited->report);
    EXPECT_EQ(audited->report.rounds, 8u);
    EXPECT_EQ(audited->report.count(verify::Check::kPayloads).held > 0, payloads);
    EXPECT_EQ(audited->theta, audit(honest_run()).theta);
  }
}

TEST_F(AuditSourceTest, ACutOffBundleIsNamedAndChecksWhatIsThere) {
  write_bundle(honest_run());
  const Bytes whole = content();
  replace(ByteSpan(whole).first(whole.size() * 3 / 4));
  const auto report = audit_bundle()->report;
  EXPECT_NE(finding_of(report, verify::Check::kFile).what.find("cut off"), std::string::npos);
  EXPECT_GT(report.rounds, 2u);
  EXPECT_EQ(report.findings.size(), 1u) << text_of(report);
  replace(ByteSpan(whole).first(whole.size() - 1));
  EXPECT_NE(finding_of(audit_bundle()->report, verify::Check::kFile).what.find("cut off"),
            std::string::npos);
}

TEST_F(AuditSourceTest, AMessageAppendedAfterTheEndIsNamed) {
  write_bundle(honest_run());
  Bytes bytes = content();
  const Bytes& message = honest_run().messages.back();
  bytes.insert(bytes.end(), message.begin(), message.end());
  replace(bytes);
  EXPECT_NE(finding_of(audit_bundle()->report, verify::Check::kFile).what.find("after its end"),
            std::string::npos);
}

TEST_F(AuditSourceTest, NoFlippedBitPasses) {
  write_bundle(honest_run());
  const Bytes honest = content();
  Prng random(3);
  for (int i = 0; i < 60; ++i) {
    Bytes bytes = honest;
    const std::uint64_t place = random.below(bytes.size());
    bytes[place] ^= static_cast<std::uint8_t>(1u << random.below(8));
    replace(bytes);
    const auto audited = audit_bundle();
    EXPECT_FALSE(audited.has_value() && audited->report.ok())
        << "byte " << place << " of " << bytes.size();
  }
}

TEST_F(AuditSourceTest, TamperingUnderAnIntactChainIsFoundByWhatWasSigned) {
  sim::RecordedRun run = honest_run();
  sign_again<protocol::Manifest>(run, find_message(run, protocol::MessageType::kManifest, 7),
                                 [](protocol::Manifest& manifest) { manifest.clip_norm *= 2; });
  write_bundle(run);
  const auto report = audit_bundle()->report;
  EXPECT_EQ(report.count(verify::Check::kFile).failed, 0u);
  EXPECT_EQ(finding_of(report, verify::Check::kClipping).signer->role, Role::kCoordinator);
}

TEST_F(AuditSourceTest, AModelThatNoMachineHoldsIsRefusedBeforeItIsAllocated) {
  for (const std::uint32_t layers : {15u, 120u}) {  // too much for memory; too much for the format
    sim::RecordedRun run = honest_run();
    run.params.model = {.d_model = 16384,
                        .layers = layers,
                        .heads = 128,
                        .kv_heads = 8,
                        .d_ff = 65536,
                        .context = 8,
                        .vocab = 128000,
                        .tied = false};
    run.initial_theta.clear();
    write_bundle(run);
    EXPECT_EQ(audit_bundle().error().code, Errc::kTooLarge);
  }
}

TEST_F(AuditSourceTest, BlobsWithoutEndAreRefused) {
  Bytes bytes;
  store::BundleWriter writer([&](ByteSpan piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return Status();
  });
  ASSERT_TRUE(writer.begin(false));
  ASSERT_TRUE(writer.add(store::BundleEntryKind::kParams, wire::encode(honest_run().params)));
  for (std::uint8_t i = 0; i < 255; ++i)
    for (std::uint8_t j = 0; j < 2; ++j) ASSERT_TRUE(writer.add_blob(Hash{{i, j}}, {}));
  ASSERT_TRUE(writer.end(0));
  replace(bytes);
  EXPECT_NE(finding_of(audit_bundle()->report, verify::Check::kFile).what.find("more blobs"),
            std::string::npos);
}

TEST_F(AuditSourceTest, AnInitialModelOfAnotherSizeIsRefused) {
  sim::RecordedRun run = honest_run();
  run.initial_theta.pop_back();
  write_bundle(run);
  EXPECT_EQ(audit_bundle().error().code, Errc::kMalformed);
}

TEST_F(AuditSourceTest, OtherFilesAreNoBundles) {
  std::ofstream(bundle_) << "{\"json\": true}";
  const auto error = audit_bundle().error();
  EXPECT_EQ(error.code, Errc::kMalformed);
  EXPECT_NE(error.message.find("not an audit bundle"), std::string::npos);
  fs::remove(bundle_);
  EXPECT_EQ(audit_bundle().error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::cli
