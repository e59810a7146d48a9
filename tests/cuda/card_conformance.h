// What every Card must do: what the CPU does, bit for bit. Instantiate CardConformance with the
// cards there are; a card that cannot be opened skips its tests and says why.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "compression/error_feedback.h"
#include "cuda/gpu.h"
#include "state/outer_step.h"
#include "state/weighted_sum.h"
#include "tests/compression/select_conformance.h"

namespace muster::gpu {

// What a card makes chooses on the card.
inline ErrorFeedback& selecting(model::ErrorFeedback& feedback) {
  return dynamic_cast<ErrorFeedback&>(feedback);
}

struct CardMaker {
  std::string name;
  std::function<Result<std::shared_ptr<Card>>()> open;
};
inline void PrintTo(const CardMaker& maker, std::ostream* out) { *out << maker.name; }

// By all of a card's way from Δ to entries.
inline compression::Selector selector_of(const std::string& name, std::shared_ptr<Card> card) {
  return {name,
          [card](const compression::Selector::Blocks& blocks, std::uint32_t keep) {
            std::vector<compression::Layout::NamedShape> tensors;
            std::vector<float> delta;
            for (const auto& block : blocks) {
              tensors.push_back({std::to_string(tensors.size()), {block.size()}});
              delta.insert(delta.end(), block.begin(), block.end());
            }
            const auto layout = compression::Layout::make(tensors).value();
            const auto elements = static_cast<std::uint32_t>(blocks.front().size());
            const std::uint32_t density = keep * compression::kBlockElements / elements;
            MUSTER_CHECK(compression::kept_in_block(density, elements) == keep,
                         "so many of this block");
            auto feedback = card->make_error_feedback(layout).value();
            feedback->delta().write(delta).value();
            const auto selection =
                selecting(*feedback).select({density, compression::ValueFormat::kSign}).value();
            std::vector<compression::Selector::Selected> selected;
            for (std::size_t b = 0; b < blocks.size(); ++b) {
              if (selection.fresh.counts[b] == compression::kNotFiniteBlock) {
                selected.push_back(std::nullopt);
                continue;
              }
              auto& indices = selected.emplace_back(std::vector<std::uint16_t>()).value();
              for (std::size_t i = 0; i < selection.fresh.counts[b]; ++i)
                indices.push_back(compression::index_of(selection.fresh.entries[b * density + i]));
            }
            return selected;
          },
          {}};
}

class CardConformance : public ::testing::TestWithParam<CardMaker> {
 protected:
  void SetUp() override {
    auto card = GetParam().open();
    if (!card) GTEST_SKIP() << card.error().message;
    card_ = *card;
  }
  static std::vector<std::uint32_t> bits(std::span<const float> values) {
    std::vector<std::uint32_t> result(values.size());
    std::memcpy(result.data(), values.data(), values.size_bytes());
    return result;
  }
  static std::vector<float> read(const FloatArray& array) {
    std::vector<float> values(array.size());
    array.read(values).value();
    return values;
  }
  // Heavy tails; few bf16 numbers; numbers around the smallest normal one.
  std::vector<float> numbers(std::uint64_t count, unsigned kind) {
    std::vector<float> values(count);
    for (float& x : values) {
      const double u = random_.uniform() * 2 - 1;
      x = static_cast<float>(u * u * u / (1.05 - u * u));
      if (kind == 1)
        x = static_cast<float>(1 + random_.below(3)) * (random_.chance(0.5) ? 0.5f : -0.5f);
      if (kind == 2) x = static_cast<float>(std::ldexp(u, -126));
    }
    return values;
  }

  static std::vector<compression::PayloadFormat> formats_of(compression::ValueFormat values) {
    std::vector<compression::PayloadFormat> formats;
    for (const std::uint32_t keep : {1u, 16u, 64u, 300u, 1024u, 4096u})
      formats.push_back({keep, values});
    for (const std::uint32_t keep : {2u, 65u, 1024u, 4096u})
      formats.push_back(two_part_format(keep, values));
    return formats;
  }

  std::shared_ptr<Card> card_;
  Prng random_{31};
  // Whole blocks, short ones, and blocks that begin at odd places.
  compression::Layout layout_ =
      compression::Layout::make(
          {{"a", {3, 4096}}, {"b", {77}}, {"c", {5000}}, {"d", {2, 4096}}, {"e", {1}}})
          .value();
};

TEST_P(CardConformance, MakesTheCpusPayloadsAndResidualsThroughAnyHistory) {
  using compression::ValueFormat;
  for (const ValueFormat values : {ValueFormat::kSign, ValueFormat::kSignMagnitude,
                                   ValueFormat::kMagnitude2, ValueFormat::kMagnitude3}) {
    for (const compression::PayloadFormat& format : formats_of(values)) {
      std::vector<float> first(layout_.parameters(), 0.0f), second = first;
      compression::ErrorFeedback expected(first, second);
      auto feedback = card_->make_error_feedback(layout_).value();
      for (unsigned round = 0; round < 5; ++round) {
        const auto delta = numbers(layout_.parameters(), (round + format.keep) % 3);
        std::copy(delta.begin(), delta.end(), expected.delta().begin());
        feedback->delta().write(delta).value();
        const auto selection = selecting(*feedback).select(format).value();
        ASSERT_EQ(payload_of(layout_, selection).value(),
                  expected.compress(layout_, format).value())
            << name_of(values) << ", " << format.keep << " kept, " << format.memory_keep
            << " of memory, round " << round;
        ASSERT_EQ(bits(read(feedback->delta())), bits(expected.delta()));
        if (round % 3 == 0) {
          expected.settle_delivered(0.9f);
          feedback->settle_delivered(0.9f).value();
        } else if (round % 3 == 1) {
          expected.settle_kept(0.95f);
          feedback->settle_kept(0.95f).value();
        } else {
          expected.settle_missed(0.8f);
          feedback->settle_missed(0.8f).value();
        }
        ASSERT_EQ(round % 2 == 0 ||
                      bits(read(*feedback->residual().value())) == bits(expected.residual()),
                  true)
            << name_of(values) << ", " << format.keep << " kept, " << format.memory_keep
            << " of memory, round " << round;
      }
    }
  }
}

TEST_P(CardConformance, MakesTheCpusPayloadOfSeveralSegments) {
  const auto layout = compression::Layout::make({{"a", {1025, 4096}}, {"b", {4097}}}).value();
  const auto format = compression::two_part_format(8, compression::ValueFormat::kSign);
  const auto delta = numbers(layout.parameters(), 0);
  auto feedback = card_->make_error_feedback(layout).value();
  feedback->delta().write(delta).value();
  EXPECT_EQ(payload_of(layout, selecting(*feedback).select(format).value(), 2).value(),
            compress(layout, format, delta).value());
}

TEST_P(CardConformance, NamesThePlaceOfWhatIsNotFiniteAsTheCpuDoes) {
  for (float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    auto delta = numbers(layout_.parameters(), 0);
    delta[2 * 4096 + 1234] = bad;
    delta[2 * 4096 + 3000] = bad;
    delta[3 * 4096 + 5] = bad;
    auto feedback = card_->make_error_feedback(layout_).value();
    feedback->delta().write(delta).value();
    const auto selection =
        selecting(*feedback).select({64, compression::ValueFormat::kSign}).value();
    const auto payload = payload_of(layout_, selection);
    ASSERT_FALSE(payload.has_value());
    EXPECT_EQ(payload.error().code, Errc::kNonFinite);
    EXPECT_EQ(payload.error().message, compress(layout_, selection.format, delta).error().message);
    EXPECT_EQ(read(*feedback->residual().value()), std::vector<float>(layout_.parameters(), 0.0f));
  }
}

TEST_P(CardConformance, NamesThePlaceWhereOnlyTheSumWithWhatIsOwedIsNotFinite) {
  const auto format = compression::two_part_format(64, compression::ValueFormat::kSign);
  const float largest = std::numeric_limits<float>::max();
  std::vector<float> residual(layout_.parameters(), 0.0f), delta = numbers(layout_.parameters(), 0);
  residual[4096 + 99] = delta[4096 + 99] = largest;
  auto feedback = card_->make_error_feedback(layout_).value();
  feedback->residual().value()->write(residual).value();
  feedback->delta().write(delta).value();
  const auto payload = payload_of(layout_, selecting(*feedback).select(format).value());
  ASSERT_FALSE(payload.has_value());
  EXPECT_EQ(payload.error().message,
            compression::ErrorFeedback(residual, delta).compress(layout_, format).error().message);
}

TEST_P(CardConformance, AddsPayloadsInTheirOrder) {
  for (const auto values : {compression::ValueFormat::kSign, compression::ValueFormat::kFloat32}) {
    for (std::size_t count : {1u, 5u, 300u}) {
      const auto format = compression::two_part_format(count == 5 ? 1024u : 64u, values);
      std::vector<compression::Payload> payloads;
      std::vector<BlockwiseEntries> entries;
      std::vector<float> weights;
      for (std::size_t p = 0; p < count; ++p) {
        const auto update = numbers(layout_.parameters(), static_cast<unsigned>(p % 3));
        payloads.push_back(compress(layout_, format, update).value());
        entries.push_back(decode_blockwise(layout_, payloads.back()).value());
        weights.push_back(static_cast<float>(random_.uniform()));
      }
      auto expected = numbers(layout_.parameters(), 0);
      auto sum = card_->make_array(layout_.parameters()).value();
      sum->write(expected).value();
      std::vector<const compression::Payload*> pointers;
      for (const auto& payload : payloads) pointers.push_back(&payload);
      const compression::SegmentGaps gaps(format);
      state::WeightedSum reference(layout_, gaps, pointers, weights);
      reference.open(0).value();
      for (std::uint64_t b = 0; b < layout_.block_count(); ++b) {
        const auto& block = layout_.block(b);
        reference.add_block(std::span(expected).subspan(block.offset, block.elements), {}).value();
      }
      card_->add(layout_, *sum, entries, weights).value();
      EXPECT_EQ(bits(read(*sum)), bits(expected)) << count << " payloads";
    }
  }
}

TEST_P(CardConformance, StepsAsTheCpuDoes) {
  const compression::PayloadFormat format{256, compression::ValueFormat::kSignMagnitude};
  const auto aggregate = compress(layout_, format, numbers(layout_.parameters(), 0)).value();
  auto expected = numbers(layout_.parameters(), 0);
  auto theta = card_->make_array(layout_.parameters()).value();
  theta->write(expected).value();
  state::outer_step(expected, layout_, aggregate, 0.7f, 1).value();
  card_->outer_step(layout_, *theta, decode_blockwise(layout_, aggregate).value(), 0.7f).value();
  EXPECT_EQ(bits(read(*theta)), bits(expected));
}

TEST_P(CardConformance, CopiesArrays) {
  const auto values = numbers(10001, 0);
  auto from = card_->make_array(values.size()).value(),
       to = card_->make_array(values.size()).value();
  EXPECT_EQ(read(*to), std::vector<float>(values.size(), 0.0f));
  from->write(values).value();
  card_->copy(*from, *to).value();
  EXPECT_EQ(bits(read(*to)), bits(values));
}

TEST_P(CardConformance, GoesOnFromAPendingPayloadsStateAsTheCpuDoes) {
  const auto format = compression::two_part_format(64, compression::ValueFormat::kSign);
  for (const bool delivered : {true, false}) {
    std::vector<float> first(layout_.parameters(), 0.0f), second = first;
    compression::ErrorFeedback expected(first, second);
    auto feedback = card_->make_error_feedback(layout_).value();
    const auto delta = numbers(layout_.parameters(), 0);
    std::copy(delta.begin(), delta.end(), expected.delta().begin());
    feedback->delta().write(delta).value();
    expected.compress(layout_, format).value();
    selecting(*feedback).select(format).value();
    EXPECT_TRUE(feedback->is_pending());
    const auto state = feedback->state().value(), wanted = expected.state();
    EXPECT_EQ(state.indices, wanted.indices);
    EXPECT_EQ(bits(state.originals), bits(wanted.originals));
    auto again = card_->make_error_feedback(layout_).value();
    again->delta().write(read(feedback->delta())).value();
    again->residual().value()->write(read(*feedback->residual().value())).value();
    again->restore(state).value();
    EXPECT_EQ(again->state().value().indices, wanted.indices);
    if (delivered) {
      expected.settle_delivered(0.9f);
      again->settle_delivered(0.9f).value();
    } else {
      expected.settle_kept(0.9f);
      again->settle_kept(0.9f).value();
    }
    EXPECT_FALSE(again->is_pending());
    EXPECT_EQ(bits(read(*again->residual().value())), bits(expected.residual()));
  }
}

TEST_P(CardConformance, DisplacesAndPutsBackAsTheCpuDoes) {
  std::vector<float> theta = numbers(layout_.parameters(), 0);
  compression::SparseUpdate update;
  for (std::uint64_t i = 3; i < theta.size(); i += 7) update.indices.push_back(i);
  update.values = numbers(update.indices.size(), 2);
  auto array = card_->make_array(theta.size()).value();
  array->write(theta).value();
  auto moved = theta;
  state::outer_step(moved, update, 0.3f);
  const auto displacement = card_->displace(*array, update, 0.3f).value();
  EXPECT_EQ(bits(read(*array)), bits(moved));
  std::vector<float> found(update.indices.size());
  card_->gather(*array, update.indices, found).value();
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], moved[update.indices[i]]);
  displacement->swap().value();
  EXPECT_EQ(bits(read(*array)), bits(theta));
  displacement->swap().value();
  EXPECT_EQ(bits(read(*array)), bits(moved));
}

TEST_P(CardConformance, MultipliesSparseUpdatesGroupByGroup) {
  const auto layout =
      compression::Layout::make({{"model.embed_tokens.weight", {5, 4096}},
                                 {"model.layers.0.self_attn.q_proj.weight", {9, 4096}},
                                 {"model.layers.0.mlp.up_proj.weight", {3, 4096}},
                                 {"model.norm.weight", {77}}})
          .value();
  const auto groups = state::tensor_groups(layout);
  std::vector<compression::SparseUpdate> updates(3);
  for (std::size_t u = 0; u < 2; ++u) {
    for (std::uint64_t i = u; i < layout.parameters(); i += u == 0 ? 1 : 37)
      updates[u].indices.push_back(i);
    updates[u].values = numbers(updates[u].indices.size(), 0);
  }
  std::vector<const compression::SparseUpdate*> pointers;
  for (const auto& update : updates) pointers.push_back(&update);
  const auto array = numbers(layout.parameters(), 0);
  auto on_card = card_->make_array(array.size()).value();
  on_card->write(array).value();
  const auto products = card_->make_products(pointers, groups).value();
  const auto found = products->multiply(*on_card).value();
  ASSERT_EQ(found.size(), 3 * groups.count);
  std::vector<double> expected(groups.count);
  for (std::size_t u = 0; u < updates.size(); ++u) {
    state::multiply_by_group(groups, updates[u], array, expected);
    for (std::size_t group = 0; group < groups.count; ++group)
      EXPECT_NEAR(found[u * groups.count + group], expected[group],
                  1e-9 * (1 + std::fabs(expected[group])));
  }
  EXPECT_EQ(products->multiply(*on_card).value(), found) << "the same bits again";
}

TEST_P(CardConformance, SubtractsAndSeesWhatIsNotFinite) {
  auto a = numbers(layout_.parameters(), 0);
  const auto b = numbers(layout_.parameters(), 2);
  auto left = card_->make_array(a.size()).value(), right = card_->make_array(a.size()).value();
  auto difference = card_->make_array(a.size()).value();
  left->write(a).value();
  right->write(b).value();
  EXPECT_TRUE(card_->subtract(*left, *right, *difference).value());
  std::vector<float> expected(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) expected[i] = a[i] - b[i];
  EXPECT_EQ(bits(read(*difference)), bits(expected));
  a.back() = std::numeric_limits<float>::quiet_NaN();
  left->write(a).value();
  EXPECT_FALSE(card_->subtract(*left, *right, *difference).value());
}

}  // namespace muster::gpu
