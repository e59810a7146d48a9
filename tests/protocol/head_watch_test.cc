#include "protocol/head_watch.h"

#include <gtest/gtest.h>

#include "protocol/attestation.h"

namespace muster::protocol {
namespace {

class HeadWatchTest : public ::testing::Test {
 protected:
  [[nodiscard]] LedgerHead head(std::string_view block) const {
    return sign_head(ledger_, sha256(bytes_of("genesis")), 7, sha256(bytes_of(block)));
  }
  void attest(const SigningKey& key, std::optional<LedgerHead> seen) {
    Attest attest{position_.parent, Hash{}, Hash{}, Hash{}};
    attest.ledger_head = std::move(seen);
    open_.attestations.push_back(sign_message(position_, attest, key));
  }
  SigningKey ledger_{random_seed()}, validator_{random_seed()}, other_{random_seed()};
  Position position_{sha256(bytes_of("run")), Round{3}, sha256(bytes_of("manifest"))};
  RoundOpen open_{.roster = {{Uid{1}, validator_.public_key(), Role::kValidator, 10, {}},
                             {Uid{2}, other_.public_key(), Role::kValidator, 10, {}}}};
};

TEST_F(HeadWatchTest, SaysOnceOfEachHotkeyWhatTheLedgerDoesNotBearOut) {
  const auto ledger = [this](const LedgerHead& other) {
    return other == head("one") ? Status() : Status(Error{Errc::kConflict, "keeps two histories"});
  };
  HeadWatch watch;
  EXPECT_TRUE(watch.compare(ledger, {{validator_.public_key(), head("one")}}).empty());
  const auto differences = watch.compare(ledger, {{validator_.public_key(), head("another")}});
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_NE(differences[0].find(validator_.public_key().brief()), std::string::npos);
  EXPECT_NE(differences[0].find("two histories"), std::string::npos);
  EXPECT_TRUE(watch.compare(ledger, {{validator_.public_key(), head("a third")}}).empty());
  EXPECT_EQ(watch.compare(ledger, {{other_.public_key(), head("another")}}).size(), 1u);
}

TEST_F(HeadWatchTest, ReadsTheHeadsThatTheRostersValidatorsAttest) {
  attest(validator_, head("one"));
  attest(other_, std::nullopt);
  attest(SigningKey(random_seed()), head("a stranger's"));
  const auto heads = ledger_heads(position_, open_);
  ASSERT_EQ(heads.size(), 1u);
  EXPECT_EQ(heads[0].by, validator_.public_key());
  EXPECT_EQ(heads[0].head, head("one"));
}

TEST_F(HeadWatchTest, DoesNotKeepValidatorsFromAgreeing) {
  attest(validator_, head("one"));
  attest(other_, head("another"));
  const auto attested = majority_attestation(position_, open_);
  ASSERT_TRUE(attested.has_value()) << "on the state";
  EXPECT_FALSE(attested->ledger_head.has_value());
}

}  // namespace
}  // namespace muster::protocol
