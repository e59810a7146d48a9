#include "state/tensor_groups.h"

#include <gtest/gtest.h>

#include "state/model_spec.h"

namespace muster::state {
namespace {

ModelSpec spec_of(std::uint32_t layers) {
  return {.d_model = 16,
          .layers = layers,
          .heads = 2,
          .kv_heads = 2,
          .d_ff = 32,
          .context = 8,
          .vocab = 64,
          .tied = false};
}

std::size_t group_of(const compression::Layout& layout, const TensorGroups& groups,
                     const std::string& name) {
  for (const auto& tensor : layout.tensors())
    if (tensor.name == name)
      for (const auto& piece : groups.pieces)
        if (common(piece.parameters, {tensor.offset, tensor.offset + tensor.elements}).size() ==
            tensor.elements)
          return piece.group;
  ADD_FAILURE() << name;
  return 99;
}

TEST(TensorGroups, AreAttentionAndMlpOfEachLayerAndWhatIsAroundThem) {
  const auto layout = layout_of(spec_of(3));
  const auto groups = tensor_groups(layout);
  EXPECT_EQ(groups.count, 7u);
  const auto group = [&](const std::string& name) { return group_of(layout, groups, name); };
  EXPECT_EQ(group("model.embed_tokens.weight"), 0u);
  EXPECT_EQ(group("model.norm.weight"), 0u);
  EXPECT_EQ(group("lm_head.weight"), 0u);
  EXPECT_EQ(group("model.layers.0.input_layernorm.weight"), 1u);
  EXPECT_EQ(group("model.layers.0.self_attn.o_proj.weight"), 1u);
  EXPECT_EQ(group("model.layers.0.post_attention_layernorm.weight"), 2u);
  EXPECT_EQ(group("model.layers.2.self_attn.q_proj.weight"), 5u);
  EXPECT_EQ(group("model.layers.2.mlp.down_proj.weight"), 6u);
}

TEST(TensorGroups, CoverAllParametersOnceAndInOrder) {
  for (const std::uint32_t layers : {1u, 2u, 7u, 8u, 40u}) {
    const auto layout = layout_of(spec_of(layers));
    std::uint64_t end = 0;
    for (const auto& piece : tensor_groups(layout).pieces) {
      EXPECT_EQ(piece.parameters.begin, end);
      end = piece.parameters.end;
    }
    EXPECT_EQ(end, layout.parameters());
  }
}

TEST(TensorGroups, AreAtMostSixteenWhichNeighboringLayersShare) {
  const auto layout = layout_of(spec_of(28));
  const auto groups = tensor_groups(layout);
  EXPECT_EQ(groups.count, 15u);
  EXPECT_EQ(group_of(layout, groups, "model.layers.3.self_attn.q_proj.weight"), 1u);
  EXPECT_EQ(group_of(layout, groups, "model.layers.4.self_attn.q_proj.weight"), 3u);
  EXPECT_EQ(group_of(layout, groups, "model.layers.27.mlp.up_proj.weight"), 14u);
}

TEST(TensorGroups, AreOneWhereNamesSayNothing) {
  const auto groups = tensor_groups(compression::Layout::make({{"a", {4}}, {"b", {5}}}).value());
  EXPECT_EQ(groups.count, 1u);
  EXPECT_EQ(groups.pieces.size(), 1u);
}

TEST(TensorGroups, SumProductsGroupByGroup) {
  const TensorGroups groups{{{{0, 3}, 0}, {{3, 5}, 1}, {{5, 8}, 0}}, 2};
  const compression::SparseUpdate update{{1, 3, 4, 7}, {2, 3, -1, 0.5f}, {4}};
  const std::vector<float> array{1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<double> sums(2, 99);
  multiply_by_group(groups, update, array, sums);
  EXPECT_EQ(sums, (std::vector<double>{2 * 2 + 0.5 * 8, 3 * 4 - 5.0}));
}

}  // namespace
}  // namespace muster::state
