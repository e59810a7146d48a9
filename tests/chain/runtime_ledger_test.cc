#include <gtest/gtest.h>

#include "chain/runtime/ledger.h"
#include "chain/runtime/stakes.h"
#include "tests/chain/runtime_fixture.h"

namespace muster::chain::runtime {
namespace {

AccountId account(std::uint8_t number) { return signing_key(number).public_key(); }

Genesis signed_genesis() {
  Genesis genesis = small_genesis();
  genesis.call_fee_rao = 1'000;
  genesis.balances.push_back({account(1), 1'000 * kTao});
  genesis.balances.push_back({account(2), 1'000 * kTao});
  return genesis;
}

Bytes signed_call(const Ledger& ledger, std::uint8_t signer, const RuntimeCall& call,
                  std::uint32_t nonce, Era era = {}) {
  return encode_extrinsic(
      sign_call(call, signing_key(signer), nonce, ledger.signing_context(era).value(), era));
}

RuntimeCall transfer_to(const AccountId& to, std::uint64_t rao) {
  return TransferKeepAlive{{to}, {rao}};
}

TEST(RuntimeLedger, AppliesATransferForItsFee) {
  Ledger ledger(signed_genesis());
  const std::uint64_t author_before = balance_of(ledger.state(), key(1));
  const Bytes bytes = signed_call(ledger, 1, transfer_to(account(2), kTao), 0);
  const Submission submission = ledger.submit(bytes);
  ASSERT_TRUE(submission.applied());
  EXPECT_FALSE(submission.error);
  EXPECT_EQ(submission.fee_rao, 1'000 + bytes.size());
  EXPECT_EQ(balance_of(ledger.state(), account(2)), 1'001 * kTao);
  EXPECT_EQ(balance_of(ledger.state(), account(1)), 999 * kTao - submission.fee_rao);
  EXPECT_EQ(balance_of(ledger.state(), key(1)), author_before + submission.fee_rao);
  EXPECT_EQ(ledger.nonce_of(account(1)), 1u);
}

TEST(RuntimeLedger, ANonceIsUsedOnceAndInOrder) {
  Ledger ledger(signed_genesis());
  const Bytes first = signed_call(ledger, 1, transfer_to(account(2), kTao), 0);
  const Bytes third = signed_call(ledger, 1, transfer_to(account(2), kTao), 2);
  EXPECT_EQ(ledger.check(third), Refusal::kFuture);
  EXPECT_TRUE(ledger.submit(first).applied());
  EXPECT_EQ(ledger.submit(first).refusal, Refusal::kStale);
}

TEST(RuntimeLedger, AFailedCallCostsNonceAndFeeOnly) {
  Ledger ledger(signed_genesis());
  const std::uint64_t before = balance_of(ledger.state(), account(1));
  const Submission submission =
      ledger.submit(signed_call(ledger, 1, transfer_to(account(2), 2'000 * kTao), 0));
  ASSERT_TRUE(submission.applied());
  EXPECT_EQ(submission.error, DispatchError::kFundsUnavailable);
  EXPECT_EQ(balance_of(ledger.state(), account(1)), before - submission.fee_rao);
  EXPECT_EQ(balance_of(ledger.state(), account(2)), 1'000 * kTao);
  EXPECT_EQ(ledger.nonce_of(account(1)), 1u);
}

TEST(RuntimeLedger, AFreeCallThatWouldFailIsRefusedAndChangesNothing) {
  Ledger ledger(signed_genesis());
  const Hash before = state_hash(ledger.state());
  const Submission submission =
      ledger.submit(signed_call(ledger, 1, SetCommitment{kSubnet, {}}, 0));
  EXPECT_EQ(submission.refusal, Refusal::kFreeCallFails);
  EXPECT_EQ(submission.error, DispatchError::kAccountNotAllowedCommit);
  EXPECT_EQ(state_hash(ledger.state()), before);
}

TEST(RuntimeLedger, WhatIsNotItsSendersOrNotForThisLedgerIsABadProof) {
  Ledger ledger(signed_genesis());
  const SigningContext here = ledger.signing_context({}).value();
  SigningContext elsewhere = here;
  elsewhere.genesis = Hash{{9}};
  SigningContext later = here;
  later.spec_version += 1;
  for (const SigningContext& context : {elsewhere, later})
    EXPECT_EQ(ledger.check(encode_extrinsic(
                  sign_call(transfer_to(account(2), 1), signing_key(1), 0, context))),
              Refusal::kBadProof);
  SignedExtrinsic forged = sign_call(transfer_to(account(2), 1), signing_key(1), 0, here);
  forged.signer = account(2);
  EXPECT_EQ(ledger.check(encode_extrinsic(forged)), Refusal::kBadProof);
}

TEST(RuntimeLedger, BytesThatAreNoExtrinsicAreMalformed) {
  const Ledger ledger(signed_genesis());
  EXPECT_EQ(ledger.check(Bytes{}), Refusal::kMalformed);
  EXPECT_EQ(ledger.check(Bytes(100, 0xff)), Refusal::kMalformed);
}

TEST(RuntimeLedger, OtherSignatureSchemesAreNamedAsSuch) {
  const Ledger ledger(signed_genesis());
  SignedExtrinsic extrinsic =
      sign_call(StartCall{1}, signing_key(1), 0, ledger.signing_context({}).value());
  extrinsic.signature.scheme = SignatureScheme::kSr25519;
  EXPECT_EQ(ledger.check(encode_extrinsic(extrinsic)), Refusal::kUnsupportedScheme);
}

TEST(RuntimeLedger, WithoutBalanceForTheFeeNothingIsPaid) {
  const Ledger ledger(signed_genesis());
  EXPECT_EQ(ledger.check(signed_call(ledger, 3, transfer_to(account(2), 0), 0)), Refusal::kPayment);
}

TEST(RuntimeLedger, AMortalExtrinsicDiesWithItsEra) {
  Ledger ledger(signed_genesis());
  for (int i = 0; i < 4; ++i) (void)ledger.produce_block(false);
  const Era era = Era::mortal(4, ledger.block_number());
  const Bytes bytes = signed_call(ledger, 1, transfer_to(account(2), 1), 0, era);
  EXPECT_EQ(ledger.check(bytes), Refusal::kNone);
  for (int i = 0; i < 4; ++i) (void)ledger.produce_block(false);
  EXPECT_EQ(ledger.check(bytes), Refusal::kBadProof);
}

TEST(RuntimeLedger, ABirthBlockThatIsToComeIsRefused) {
  const Ledger ledger(signed_genesis());
  const Era era = Era::mortal(64, 50);
  const SigningContext context = ledger.signing_context({}).value();
  EXPECT_EQ(ledger.check(encode_extrinsic(
                sign_call(transfer_to(account(2), 1), signing_key(1), 0, context, era))),
            Refusal::kAncientBirthBlock);
}

TEST(RuntimeLedger, ReplayingBlocksGivesTheSameState) {
  Ledger live(signed_genesis());
  Ledger replay(signed_genesis());
  std::uint32_t nonce = 0;
  for (int i = 0; i < 50; ++i) {
    if (i % 3 == 0) {
      const RuntimeCall call = AddStake{key(201), kSubnet, kTao};
      EXPECT_TRUE(live.submit(signed_call(live, 1, call, nonce++)).applied());
    }
    const Block block = live.produce_block(i % 10 == 0);
    const auto decoded = decode_block(encode_block(block));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, block);
    ASSERT_TRUE(replay.apply(*decoded));
    EXPECT_EQ(replay.head(), live.head());
  }
  EXPECT_EQ(state_hash(replay.state()), state_hash(live.state()));
}

TEST(RuntimeLedger, ABlockThatDoesNotFollowIsAConflict) {
  Ledger live(signed_genesis());
  Ledger replay(signed_genesis());
  (void)live.produce_block(false);
  EXPECT_EQ(replay.apply(live.produce_block(false)).error().code, Errc::kConflict);
}

TEST(RuntimeLedger, ABlockWithAnotherStateIsAConflict) {
  Ledger live(signed_genesis());
  Ledger replay(signed_genesis());
  Block block = live.produce_block(true);
  block.state->bytes[0] ^= 1;
  EXPECT_EQ(replay.apply(block).error().code, Errc::kConflict);
}

TEST(RuntimeLedger, HashesOfBlocksAreKept) {
  Ledger ledger(signed_genesis());
  EXPECT_EQ(ledger.hash_of_block(0), ledger.genesis_id());
  const Block block = ledger.produce_block(false);
  EXPECT_EQ(ledger.hash_of_block(1), block_hash(block));
  EXPECT_FALSE(ledger.hash_of_block(2));
}

TEST(RuntimeLedger, GoesOnFromASnapshot) {
  Ledger live(signed_genesis());
  for (int i = 0; i < 30; ++i) (void)live.produce_block(false);
  const auto snapshot = decode_snapshot(encode_snapshot(live.snapshot()));
  ASSERT_TRUE(snapshot);
  auto restored = Ledger::restore(signed_genesis(), *snapshot);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->head(), live.head());
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(restored->apply(live.produce_block(true)));
}

TEST(RuntimeLedger, ASnapshotOfAnotherLedgerOrThatDoesNotAddUpIsRefused) {
  Ledger live(signed_genesis());
  (void)live.produce_block(false);
  EXPECT_EQ(Ledger::restore(small_genesis(), live.snapshot()).error().code, Errc::kWrongRun);
  Snapshot forged = live.snapshot();
  forged.state.accounts.begin()->second.free_rao += 1;
  EXPECT_EQ(Ledger::restore(signed_genesis(), forged).error().code, Errc::kMalformed);
}

TEST(RuntimeLedger, EventsTellWhatBecameOfAnExtrinsic) {
  Ledger ledger(signed_genesis());
  const Submission submission =
      ledger.submit(signed_call(ledger, 1, transfer_to(account(2), kTao), 0));
  const auto* applied = std::get_if<ExtrinsicApplied>(&ledger.events().back());
  ASSERT_NE(applied, nullptr);
  EXPECT_EQ(applied->hash, submission.hash);
  EXPECT_FALSE(applied->error);
}

TEST(State, SurvivesItsEncoding) {
  Economy economy;
  economy.run_epochs();
  const auto decoded = decode_state(encode_state(economy.state()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(state_hash(*decoded), state_hash(economy.state()));
}

TEST(Refusal, EveryOneHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kRefusalCount; ++i)
    EXPECT_TRUE(names.insert(name_of(static_cast<Refusal>(i))).second) << i;
}

TEST(DispatchError, EveryOneHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kDispatchErrorCount; ++i)
    EXPECT_TRUE(names.insert(name_of(static_cast<DispatchError>(i))).second) << i;
}

}  // namespace
}  // namespace muster::chain::runtime
